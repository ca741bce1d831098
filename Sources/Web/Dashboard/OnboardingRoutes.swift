extension Route {
  /// The settings of a business and its first steps.
  static let firstSteps: [Route] = [
    Route(.get, "/w/:workspace/settings", .member(.viewer, SettingsController.show)),
    Route(.post, "/w/:workspace/settings", .member(.owner, SettingsController.update)),
    Route(.get, "/w/:workspace/onboarding", .member(.owner, OnboardingController.show)),
    Route(
      .post, "/w/:workspace/onboarding/dismissal",
      .member(.owner, OnboardingDismissalController.create)),
    Route(
      .post, "/w/:workspace/onboarding/sandbox-bot",
      .member(.owner, OnboardingSandboxBotController.create)),
    Route(.get, "/w/:workspace/onboarding/packs", .member(.owner, OnboardingPacksController.show)),
    Route(
      .post, "/w/:workspace/onboarding/packs", .member(.owner, OnboardingPacksController.create)),
    Route(
      .get, "/w/:workspace/onboarding/actions", .member(.owner, OnboardingActionsController.show)),
    Route(
      .post, "/w/:workspace/onboarding/actions", .member(.owner, OnboardingActionsController.create)
    ),
    Route(.get, "/w/:workspace/onboarding/key", .member(.owner, OnboardingKeyController.show)),
    Route(.post, "/w/:workspace/onboarding/key", .member(.owner, OnboardingKeyController.create)),
  ]
}
