import Foundation

/// Every bound of the product in one place: sizes in bytes, times in seconds, counts in items.
public enum Limits {
  /// `invoice_payload` of the Bot API: 1–128 bytes.
  public static let invoicePayloadBytes = 128
  /// The opaque note a bot may leave with a checkout.
  public static let resumeBytes = 4096
  public static let idempotencyKeyBytes = 200
  public static let refBytes = 200
  public static let searchTextCharacters = 100
  /// Of days that somebody asks for: no payment is older, and none will be so young.
  public static let years = 1970...2200
  public static let jsonBodyBytes = 1 << 20
  public static let jsonDepth = 32
  public static let formBodyBytes = 64 << 10
  public static let units = 1_000_000
  public static let telegramID: Int64 = 1 << 52
  /// A checkout's link may be paid for this long.
  public static let checkoutSeconds = 24 * 3600
  /// A customer's purchases in one hour; the next one is refused, when it is opened as well as at
  /// pre-checkout.
  public static let purchasesPerHour = 10
  /// Once a payment was let through, it may take so long to arrive; a second tap is refused meanwhile.
  public static let preCheckoutBusySeconds = 20
  /// How often an invoice is sent into a chat when Telegram does not say what came of it.
  public static let invoiceSendings = 2
  /// What one call that sends an invoice may take, and for how long nobody else sends it.
  public static let invoiceCallSeconds = 8
  public static let invoiceSendingSeconds = 20
  /// Of a checkout: the steps and the payments that are shown.
  public static let checkoutSteps = 200
  public static let checkoutPayments = 50
  /// Checkouts whose time is over are closed so many at a time.
  public static let checkoutsAtOnce = 500
  /// How long Telegram's questions before payments are remembered; it asks one for minutes at most.
  public static let preCheckoutQuerySeconds = 2.0 * 86_400
  /// What the database may take of Telegram's ten seconds before the workspace's policy answers.
  public static let preCheckoutDatabaseSeconds = 1.0
  /// Far above the highest price that Telegram was seen to accept (100 000), far below overflow.
  public static let stars: Int64 = 10_000_000
  /// A week: how long a bot's updates are remembered, and their bodies at most kept.
  public static let updateSeconds = 7 * 86_400
  /// Longer than any statement or call that a job of an ordinary kind makes.
  public static let jobLeaseSeconds = 60
  public static let refundLeaseSeconds = 20
  /// What one call of Telegram about a refund may take; well below the lease.
  public static let refundCallSeconds = 10
  /// How long Telegram's books are watched for a refund whose call was never answered, before it
  /// counts as not done.
  public static let refundWatchSeconds = 60.0
  /// How long after an unanswered call Telegram's books are still looked at, now and then.
  public static let refundLateSeconds = 24 * 3600.0
  /// Refunds that one worker carries out at the same time.
  public static let refundsAtOnce = 4
  /// After this long, a refund that is under way is shown to people as one that needs them.
  public static let refundStuckSeconds = 600.0
  /// What an operator who approves a refund waits for Telegram before the page says it is under way.
  public static let refundAnswerSeconds = 3.0
  /// What one call of Telegram about a bot's webhook may take, and how long 429 is waited out; a
  /// change is one call, and belongs to nobody any more after the last of the three.
  public static let botCallSeconds = 8
  public static let botCallRetrySeconds = 4
  public static let botChangeSeconds: TimeInterval = 30
  /// What one call of a sandbox's own addresses may take: longer than Telegram waits for the answer to
  /// a pre-checkout.
  public static let sandboxCallSeconds: Int64 = 15
  public static let sandboxReplyBytes = 4 << 20
  public static let keyNameCharacters = 60
  /// In Unicode scalars, as the tables count them.
  public static let workspaceNameCharacters = 80
  public static let suspensionReasonCharacters = 500
  public static let botReplyCharacters = 3000
  /// In Unicode scalars.
  public static let noteCharacters = 500
  public static let goodwillCredits: Int64 = 1_000_000
  /// Changes of a rule that its page shows at once.
  public static let ruleHistory = 20
  public static let actions = 200
  public static let packs = 50
  public static let packDiscounts = 10
  /// The highest price of an invoice that Telegram was seen to accept.
  public static let packStars: Int64 = 100_000
  public static let packCredits: Int64 = 1_000_000_000
  /// How long a pack's credits or features may last, in days.
  public static let packDays: Int64 = 3_650
  /// A sku of an operator's: with a discount's percentage it still fits the column.
  public static let skuCharacters = 28
  /// Other languages that a product may have words in.
  public static let productLanguages = 20
  public static let staff = 100
  public static let tiers = 10
  public static let plans = 20
  /// What Telegram takes at most for a subscription.
  public static let subscriptionStars: Int64 = 10_000
  public static let entitlements = 100
  /// The most that a quota or a number of free units may be.
  public static let quotaUnits = 1_000_000_000
  public static let priceCredits: Int64 = 1_000_000_000
  /// A million of the currency, in millionths.
  public static let unitCostMicros: Int64 = 1_000_000_000_000
  /// The highest engagement or intent that a bot may report of a customer.
  public static let trialFactor = 10
  /// Of the name of a traffic source, in Unicode scalars.
  public static let trialSourceCharacters = 60
  public static let trialPaidSources = 50
  public static let trialCredits: Int64 = 1000
  public static let trialCreditsPerDay: Int64 = 100_000
  public static let trialScore = 30
  /// Of what a bot says to a user without credits, in Unicode scalars.
  public static let paywallCharacters = 1000
  /// Languages that a paywall may speak in an operator's own words.
  public static let paywallLanguages = 40
  /// What support may give one customer is counted over this time: 30 days.
  public static let goodwillCapSeconds = 30 * 86_400
  /// How long credits that a person gives may be valid, in days.
  public static let grantValidDays = 3_650
  /// Of what a buyer or an operator writes in a support case, in Unicode scalars; Telegram takes as
  /// much.
  public static let supportTextCharacters = 4096
  /// Of what a case is called.
  public static let supportSubjectCharacters = 120
  /// Messages of one buyer's case in 24 hours; further ones are not kept.
  public static let supportMessagesPerDay = 100
  /// The same words that come forwarded and by the API within this time are one message.
  public static let supportEchoSeconds = 300.0
  /// Messages of a case that its page shows at once.
  public static let supportMessagesShown = 100
  /// The bounds of the time in which buyers are to be answered.
  public static let supportSLAMinutes: ClosedRange<Int64> = 5...43_200
  public static let replyTemplates = 50
  public static let replyTemplateTitleCharacters = 60
  public static let replyTemplateCharacters = 3000
  /// An open hold that is older than this is shown first, as one that may be stuck.
  public static let holdStuckSeconds = 3600.0
  /// How often a buyer is told of a decision before we give up.
  public static let noticeAttempts = 8
  /// What a whole ledger's verification may take.
  public static let verificationSeconds = 600
  /// Traffic sources of a workspace that figures tell apart.
  public static let trafficSources = 100
  /// New rows of each table that a page counts by itself before it shows figures.
  public static let figuresPageRows = 1_000
  /// Rows of each table that are counted in one transaction.
  public static let figuresStepRows = 10_000
  /// How long figures are counted in one run of the job; well below its lease.
  public static let figuresRunSeconds = 20.0
  /// How often a recount begins again because others count.
  public static let figuresRecounts = 50
  public static let pageSize = 50
  public static let timelinePageSize = 40
  /// Payments that an answer about credits names, and actions.
  public static let answerPurchases = 6
  public static let answerActions = 6
  public static let passwordBytes = 256
  public static let passwordHashesAtOnce = 2
  public static let passwordHashesWaiting = 32
  public static let sessionIdleSeconds = 12 * 3600
  public static let sessionSeconds = 7 * 24 * 3600
  public static let loginFailures = 10
  public static let loginWindowSeconds = 15 * 60
  /// Codes of the second factor that an account may try in the window and in a day: a code is one of
  /// a million, three of them are good at a time.
  public static let totpFailures = 5
  public static let totpFailuresPerDay = 30
  /// How long the second factor may take once the password was right.
  public static let totpSeconds = 10 * 60
  public static let recoveryCodes = 10
  /// How long a link into a workspace and one that resets a password or second factor may be used.
  public static let invitationSeconds = 7 * 86_400.0
  public static let resetSeconds = 86_400.0
  /// Invitations of one workspace that nobody has used yet.
  public static let invitations = 50
  /// Of an operator, in Unicode scalars.
  public static let operatorNameCharacters = 80
  public static let passwordCharacters = 10
  /// Names that the audit log's filters offer.
  public static let auditNames = 200
  public static let usageBatch = 100
  /// After this long without an answer of the database, an action's outage policy decides.
  public static let outageSeconds = 2.0
  /// How long a key that is known is believed while the database is away: a revoked one must not
  /// outlive an outage by much, and one that is good should last as long as most outages do.
  public static let keyOutageSeconds = 600.0
  /// How long a debit that was accepted is tried to be booked, though something is wrong with it.
  public static let outageBookingSeconds = 86_400.0
  /// Debits that one process accepts while the database is away.
  public static let outageDebits = 10_000
  /// Updates that share a transaction. A payment takes a dozen statements, and all wait for the last.
  public static let intakeBatch = 32
  /// How long a hold stays open when nobody closes it, unless its request says otherwise.
  public static let holdSeconds = 900
  public static let longestHoldSeconds = 86_400
  /// How long a cached bot, key or catalogue may be older than the database.
  public static let directorySeconds = 2.0
  /// How long a request that has an older one waits for the database: a pre-checkout has little time,
  /// and needs it for its own question.
  public static let directoryWaitSeconds = 0.4
  /// Different customers that one API key may read in a minute: a guard against enumeration.
  public static let customersReadPerMinute = 600
  /// Different people nobody has seen that one API key may ask about in a minute, as those would who
  /// try numbers. Telegram lets a bot send 30 messages a second, so no bot greets as many newcomers.
  public static let strangersPerMinute = 1_800
  /// Different customers that one API key may check in a minute: sixteen times as many as a bot can
  /// answer, and few enough that walking through all of a large workspace takes long.
  public static let customersCheckedPerMinute = 30_000
  /// Of an address that we call for events and relayed updates.
  public static let targetBytes = 2000
  /// What looking a target's name up may take.
  public static let targetResolutionSeconds = 3.0
  /// Connections are kept to this many targets.
  public static let targetsKept = 64
  /// After this many calls in a row without an answer an address is left alone for a while,
  public static let targetSilences = 5
  /// for no longer than this at a time.
  public static let targetRestSeconds = 60.0
  /// What finds no place at an address comes back after no longer than this, give or take.
  public static let targetQueueSeconds = 15.0
  /// What one try to send an event may take, the look-up of the name included.
  public static let eventCallSeconds = 10.0
  /// Longer than such a try.
  public static let eventLeaseSeconds = 20
  /// How long an event is tried.
  public static let eventSeconds = 24 * 3600.0
  public static let eventReplyBytes = 64 << 10
  /// How long the secret before the present one signs events, too.
  public static let eventSecretOverlapSeconds = 24 * 3600.0
  /// Events that one worker sends at the same time.
  public static let eventsAtOnce = 8
  /// Of them, those that one address gets: a slow one must leave places for all others.
  public static let eventsAtOncePerTarget = 2
  /// What a bot's handler may take for an update.
  public static let relayCallSeconds = 30.0
  /// What it may take of Telegram's ten seconds to answer a pre-checkout, the look-up of its name
  /// included.
  public static let relayPreCheckoutSeconds = 7.0
  /// Pre-checkouts that one address gets at the same time.
  public static let preCheckoutsAtOncePerTarget = 32
  /// How long an update is tried.
  public static let relaySeconds = 24 * 3600.0
  /// The longest pause between two tries, a fifth more or less: a chat waits no longer once its
  /// handler is back.
  public static let relayPauseSeconds = 60.0
  /// Of a handler's answer; a Bot API call with its text fits.
  public static let relayReplyBytes = 256 << 10
  /// Updates that one process hands on at the same time without a job's turn.
  public static let relaysAtOnce = 64
  /// Of them, those that one address gets.
  public static let relaysAtOncePerTarget = 16
  /// Updates that one worker hands on at the same time, and of them those that one address gets.
  public static let relaysByWorker = 8
  public static let relaysByWorkerPerTarget = 2
  /// What a call of the Bot API may take that a handler answered with.
  public static let relayMethodSeconds = 15
  /// Of a message, in UTF-16 code units.
  public static let messageUnits = 4096
  /// What one call to send a message may take; well below the job's lease.
  public static let messageCallSeconds = 15
  /// How often a message is said at most when Telegram gives no answer.
  public static let messageUnanswered = 2
  /// How long a message that could not be sent is tried, and the longest pause between two tries.
  public static let messageSeconds = 24 * 3600.0
  public static let messagePauseSeconds = 600.0
  /// Abandoned carts that are noticed, told of and reminded in one go.
  public static let cartsAtOnce = 50
  /// How long reminders are made in one run of the job; well below its lease.
  public static let cartRunSeconds = 25
  /// How long a checkout that Telegram has just asked about is left alone.
  public static let payingSeconds = 300.0
  /// Operators are not told of a cart that was noticed longer ago.
  public static let cartAlertSeconds = 600.0
  /// A reminder that waits because the business is suspended looks again after this time.
  public static let suspendedReminderSeconds = 60.0
  /// A customer is reminded of a cart no oftener than this.
  public static let cartReminderPauseSeconds = 24 * 3600.0
  /// A payment this long after a cart was noticed has recovered it.
  public static let cartRecoverySeconds = 7 * 24 * 3600.0
  /// The bounds of the minutes after which a checkout is an abandoned cart.
  public static let cartMinutes: ClosedRange<Int64> = 5...1380
  /// How long a code that links an alert chat may be used.
  public static let alertCodeSeconds = 15 * 60.0
  /// Alert chats of one workspace.
  public static let alertChats = 20
  /// Payments within the hour below which fewer failures than the second number say little: 1 of 3 is
  /// no alarm.
  public static let alertPayments = 20
  public static let alertFailedPayments = 3
  /// What counts as minutes: purchases, uses and late updates are counted over this time.
  public static let alertMinutesSeconds = 600.0
  /// Fewer late updates are a slow webhook only where there were no others; and no more than so many
  /// of the newest are looked at.
  public static let alertLateUpdates = 3
  public static let alertUpdates = 20_000
  /// The newest ledger entries among which a customer's many uses are looked for.
  public static let alertEntries = 100_000
  /// Alerts of a kind in one look.
  public static let alertsAtOnce = 50
  /// What comes and goes counts as over when it was not seen for so long.
  public static let alertCalmSeconds = 900.0
  /// An error of Telegram's at a webhook that is older says nothing of how it does now.
  public static let alertWebhookSeconds = 600.0
  /// Bots of one workspace whose webhooks are looked at.
  public static let alertBots = 50
  /// Open alerts are counted up to here.
  public static let alertsCounted = 100
  /// A bot with fewer updates waiting at Telegram keeps up.
  public static let pendingUpdates = 100
  /// A delivery that failed longer ago says nothing of a webhook's health.
  public static let webhookErrorSeconds = 3600.0
  /// How long an operator's request waits for a message to be sent.
  public static let messageAnswerSeconds = 3.0
  /// Messages that one worker sends at the same time.
  public static let messagesAtOnce = 4
  /// Between two comparisons of a bot with Telegram's books, in the workspace's time.
  public static let reconciliationSeconds = 86_400.0
  /// After one that failed.
  public static let reconciliationRetrySeconds = 3600.0
  public static let reconciliationLeaseSeconds = 120
  public static let reconciliationCallSeconds = 10
  /// Tries in a row without a page before a comparison counts as failed.
  public static let reconciliationAttempts = 8
  /// The longest pause between two of them.
  public static let reconciliationPauseSeconds = 256.0
  public static let reconciliationsAtOnce = 2
  /// What an operator who asks for a comparison waits before the page shows its progress.
  public static let reconciliationAnswerSeconds = 1.0
  /// Movements that are compared in one transaction.
  public static let reconciliationBatch = 200
  /// A movement that is younger is not judged: its update may be on its way.
  public static let reconciliationGraceSeconds = 5.0
  /// A payment of ours that is younger need not stand in Telegram's books yet.
  public static let reconciliationLagSeconds = 600.0
  /// Of Telegram's books, what one call gives at most.
  public static let starTransactionsPage = 100
  /// How long after it was made the state of a withdrawal may change.
  public static let withdrawalSeconds = 60 * 86_400.0
  /// Telegram keeps Stars for 21 days before they can be withdrawn.
  public static let starHoldSeconds = 21 * 86_400.0
  /// A renewal that Telegram made has so long to arrive before its subscription counts as run out;
  /// less where periods are short.
  public static let renewalSlackSeconds = 3600.0
  /// Credits of a cycle that was over before its payment arrived live at least so long.
  public static let lateCycleSeconds = 86_400.0
  /// What one call of Telegram about a subscription may take.
  public static let subscriptionCallSeconds = 10
  /// Such calls that one worker makes at the same time.
  public static let subscriptionCallsAtOnce = 2
  /// The longest pause between two tries to make such a call, or to remind of an end.
  public static let subscriptionPauseSeconds = 3600.0
  /// Subscriptions whose time has come are looked up so many at a time.
  public static let subscriptionsAtOnce = 500
  /// How long they are moved on in one run of the job; well below its lease.
  public static let subscriptionRunSeconds = 25
  /// Buyers are reminded so long before an end that nobody has paid for yet, and on the last day.
  public static let endingSeconds = 3 * 86_400.0
  public static let lastDaySeconds = 86_400.0
  /// The free plan's credits go to customers who were seen within this time.
  public static let freePlanSeenSeconds = 60 * 86_400.0
  /// Customers who get them in one run of the job.
  public static let freePlanBatch = 200
  /// People who buy in the drill of pre-checkouts, and how often each of them does: fewer than the
  /// purchases of an hour, and twenty together.
  public static let drillBuyers = 4
  public static let drillPurchases = 5
  /// Of each of those people.
  public static let drillStars: Int64 = 1_000_000
  /// Telegram waits ten seconds for the answer to a pre-checkout.
  public static let drillPreCheckoutMilliseconds = 2000
  /// What an update or a payment may take from the sandbox to our tables.
  public static let drillWaitSeconds = 10.0
  public static let drillRefundSeconds = 45.0
  /// More than all drills may take together: after it, a run that nobody ends counts as failed.
  public static let drillLeaseSeconds = 540
  /// Runs that one worker does at the same time.
  public static let drillRunsAtOnce = 2
  /// Drills that passed longer ago say little of how it does today.
  public static let drillEvidenceSeconds = 30 * 86_400.0
  /// Of what an operator writes to a wish for more live bots, in Unicode scalars.
  public static let expansionCharacters = 2000
  /// Applications of one address, and of everybody, within the window.
  public static let applicationsPerAddress = 5
  public static let applicationsPerDay = 200
  public static let applicationWindowSeconds = 86_400
  /// Nobody fills in a form sooner, and a page that was kept for longer is drawn anew.
  public static let formTypingSeconds = 3.0
  public static let formStampSeconds = 86_400.0
  /// How long a decided application is kept: 180 days.
  public static let applicationSeconds = 180 * 86_400.0
  /// Notes and questions about one application; each question has one answer at most.
  public static let applicationMessages = 100
  /// How long an admin may look into a workspace before another reason is asked for.
  public static let adminVisitSeconds = 3600.0
  /// A job that is due for longer than this is late.
  public static let jobLateSeconds = 300.0
}
