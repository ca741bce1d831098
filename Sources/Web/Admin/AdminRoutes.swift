extension Route {
  /// Asking to be let in, and what became of it.
  static let applications: [Route] = [
    Route(.get, "/pilot", .anyone(ApplicationsController.new)),
    Route(.post, "/pilot", .anyone(ApplicationsController.create)),
    Route(.get, "/pt-br/pilot", .anyone(ApplicationsController.new)),
    Route(.post, "/pt-br/pilot", .anyone(ApplicationsController.create)),
    Route(.get, "/applications/:token", .anyone(ApplicationsController.show)),
    Route(.post, "/applications/:token/answer", .anyone(ApplicationAnswerController.create)),
    Route(.post, "/applications/:token/removal", .anyone(ApplicationRemovalController.create)),
  ]

  /// What admins of the platform see and decide.
  static let admin: [Route] = [
    Route(.get, "/admin", .admin(AdminController.show)),
    Route(.get, "/admin/applications", .admin(AdminApplicationsController.index)),
    Route(.get, "/admin/applications/:application", .admin(AdminApplicationsController.show)),
    Route(
      .post, "/admin/applications/:application/notes",
      .admin(AdminApplicationNotesController.create)),
    Route(
      .post, "/admin/applications/:application/question",
      .admin(AdminApplicationQuestionController.create)),
    Route(
      .post, "/admin/applications/:application/approval",
      .admin(AdminApplicationApprovalController.create)),
    Route(
      .post, "/admin/applications/:application/decline",
      .admin(AdminApplicationDeclineController.create)),
    Route(
      .post, "/admin/applications/:application/removal",
      .admin(AdminApplicationRemovalController.create)),
    Route(.get, "/admin/invitation-codes", .admin(InvitationCodesController.index)),
    Route(.post, "/admin/invitation-codes", .admin(InvitationCodesController.create)),
    Route(
      .post, "/admin/invitation-codes/:invitation_code/revocation",
      .admin(InvitationCodeRevocationController.create)),
    Route(.get, "/admin/workspaces", .admin(AdminWorkspacesController.index)),
    Route(.get, "/admin/workspaces/:business", .admin(AdminWorkspacesController.show)),
    Route(
      .post, "/admin/workspaces/:business/invitations",
      .admin(AdminInvitationsController.create)),
    Route(
      .post, "/admin/workspaces/:business/suspension", .admin(SuspensionController.create)),
    Route(
      .post, "/admin/workspaces/:business/resumption", .admin(ResumptionController.create)),
    Route(.post, "/admin/workspaces/:business/visits", .admin(AdminVisitsController.create)),
    Route(
      .post, "/admin/expansion-requests/:expansion_request/approval",
      .admin(ExpansionApprovalController.create)),
    Route(
      .post, "/admin/expansion-requests/:expansion_request/decline",
      .admin(ExpansionDeclineController.create)),
    Route(.get, "/admin/gates", .admin(AdminGatesController.index)),
    Route(.get, "/admin/operators", .admin(AdminOperatorsController.index)),
    Route(.get, "/admin/operators/:operator", .admin(AdminOperatorsController.show)),
    Route(
      .post, "/admin/operators/:operator/resets", .admin(AdminResetsController.create)),
    Route(.get, "/admin/audit", .admin(AdminAuditController.index)),
  ]
}
