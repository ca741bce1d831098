import Ledger
import Testing

@Suite struct ScenarioTests {
  @Test(arguments: spending + closing + refunds + capped)
  func scenario(_ scenario: Scenario) async throws {
    try await withLedger { try await scenario.run($0) }
  }

  static let spending = [
    Scenario(
      "burn order: soonest expiry, unpaid before paid, oldest",
      """
      1 credit 7 10 payment charge=a          => applied 10 1:10
      1 credit 7 10 goodwill                  => applied 20 2:10 1:10
      1 credit 7 10 payment charge=b until=9  => applied 30 3:10 2:10 1:10
      1 credit 7 10 bonus charge=b until=9    => applied 40 4:10 3:10 2:10 1:10
      1 credit 7 10 promo until=5             => applied 50 5:10 4:10 3:10 2:10 1:10
      1 credit 7 10 goodwill                  => applied 60 5:10 4:10 3:10 2:10 6:10 1:10
      2 debit 7 4                             => applied 56 5:6 4:10 3:10 2:10 6:10 1:10
      2 debit 7 6                             => applied 50 4:10 3:10 2:10 6:10 1:10
      2 debit 7 25                            => applied 25 2:5 6:10 1:10
      2 debit 7 26                            => insufficient 25
      2 debit 7 25                            => applied 0 none
      """),
    Scenario(
      "answers to a key that comes again",
      """
      1 credit 7 50 promo key=g               => applied 50
      1 credit 7 50 promo key=g               => replayed 50
      1 credit 7 50 promo key=g until=9       => replayed 50
      1 credit 7 51 promo key=g               => conflict -
      1 credit 7 50 goodwill key=g            => conflict -
      1 credit 8 50 promo key=g               => conflict -
      1 debit 7 5 key=g                       => conflict -
      1 debit 7 5 key=d action=image          => applied 45
      2 debit 7 40                            => applied 5
      2 debit 7 5 key=d action=image          => replayed 45
      2 debit 7 6 key=d action=image          => conflict -
      2 debit 7 5 key=d action=video          => conflict -
      2 debit 8 5 key=d action=image          => conflict -
      2 hold 7 5 key=d action=image           => conflict -
      2 expire 7                              => none -
      """),
    Scenario(
      "a fingerprint decides instead of the amount",
      """
      1 credit 7 50 promo                     => applied 50
      1 debit 7 5 key=d print=1 action=a      => applied 45
      1 debit 7 6 key=d print=1 action=b      => replayed 45
      1 debit 7 5 key=d print=2 action=a      => conflict -
      1 debit 8 5 key=d print=1               => conflict -
      1 hold 7 5 key=d print=1                => conflict -
      1 debit 7 5 key=d action=a              => replayed 45
      1 debit 7 6 key=d action=a              => conflict -
      1 hold 7 8 key=h print=3                => applied 37
      1 hold 7 9 key=h print=3                => replayed 37
      1 commit h 4 key=c print=4              => applied 41
      1 commit h 5 key=c print=4              => replayed 41
      1 commit h 4 key=c print=5              => conflict -
      """),
    Scenario(
      "a decline is not stored: its key may apply later",
      """
      1 debit 7 5 key=d                       => insufficient 0
      1 credit 7 3 promo                      => applied 3
      1 debit 7 5 key=d                       => insufficient 3
      1 hold 7 5 key=d                        => insufficient 3
      1 credit 7 3 promo                      => applied 6
      1 debit 7 5 key=d                       => applied 1
      1 debit 7 5 key=d                       => replayed 1
      """),
    Scenario(
      "what is due expires before it can be spent, however late the job",
      """
      1 credit 7 10 trial until=3             => applied 10
      1 credit 7 10 payment charge=a          => applied 20
      2.9 debit 7 1                           => applied 19 1:9 2:10
      3 debit 7 11                            => insufficient 10 2:10
      3 debit 7 10                            => applied 0 none
      3 expire 7                              => none -
      4 credit 7 10 promo until=6             => applied 10
      6 credit 7 1 promo                      => applied 1 8:1
      7 credit 7 10 promo until=8             => applied 11
      8 hold 7 1                              => applied 0
      8 credit 7 5 promo until=9              => applied 5
      9 expire 7                              => applied 0 none
      9 expire 7                              => none -
      9 expire 8                              => none -
      """),
    Scenario(
      "invalid requests change nothing",
      """
      1 debit 7 0                             => invalid -
      1 debit 7 -5                            => invalid -
      1 debit 7 1000000000001                 => invalid -
      1 credit 7 0 promo                      => invalid -
      1 credit 7 -1 promo                     => invalid -
      1 credit 7 1000000000001 promo          => invalid -
      1 credit 7 1000000000000 promo          => applied 1000000000000
      1 credit 7 5 promo until=1              => invalid -
      1 credit 7 5 payment                    => invalid -
      1 hold 7 5 until=1                      => invalid -
      1 commit nothing -1                     => invalid -
      1 debit 7 1 key=                        => invalid -
      """),
  ]

  static let closing = [
    Scenario(
      "commit burns the hold's lots in their order, not newer ones",
      """
      1 credit 7 10 payment charge=a until=9  => applied 10
      1 credit 7 10 payment charge=b          => applied 20
      1 hold 7 15 key=h                       => applied 5 2:5
      2 credit 7 10 promo until=5             => applied 15 4:10 2:5
      2 commit h 12 key=c                     => applied 18 4:10 2:8
      2 commit h 12 key=c                     => replayed 18
      2 commit h 11 key=c                     => conflict -
      2 commit h 12                           => closed 18
      2 release h                             => closed 18
      2 release h key=c                       => conflict -
      2 commit nothing 1                      => unknown -
      2 release nothing                       => unknown -
      """),
    Scenario(
      "release returns to the same lots; commit of nothing is a release",
      """
      1 credit 7 10 promo until=9             => applied 10
      1 credit 7 10 payment charge=b          => applied 20
      1 hold 7 12 key=h                       => applied 8 2:8
      1 release h key=r                       => applied 20 1:10 2:10
      1 release h key=r                       => replayed 20
      1 hold 7 12 key=k                       => applied 8 2:8
      1 release k key=r                       => conflict -
      1 commit k 0                            => applied 20 1:10 2:10
      """),
    Scenario(
      "commit above the hold needs the balance",
      """
      1 credit 7 20 promo                     => applied 20
      1 hold 7 5 key=h                        => applied 15
      1 commit h 21 key=c                     => insufficient 15
      1 credit 7 10 promo until=3             => applied 25 3:10 1:15
      2 commit h 12 key=c                     => applied 18 3:3 1:15
      2 hold 7 18 key=k                       => applied 0
      3 commit k 19                           => insufficient 0
      3 commit k 18                           => applied 0
      """),
    Scenario(
      "expiry while held: release loses it, commit honours it",
      """
      1 credit 7 10 promo until=3             => applied 10
      1 credit 7 10 payment charge=a          => applied 20
      1 hold 7 14 key=h                       => applied 6
      1 hold 7 3 key=k                        => applied 3
      3 commit h 4                            => applied 7 2:7
      4 release k                             => applied 10 2:10
      4 debit 7 11                            => insufficient 10
      """),
    Scenario(
      "expiry while held, nothing else open",
      """
      1 credit 7 10 promo until=3             => applied 10
      1 hold 7 10 key=h                       => applied 0
      3 release h key=r                       => applied 0 none
      3 release h key=r                       => replayed 0
      4 credit 7 10 promo until=6             => applied 10
      4 hold 7 10 key=k                       => applied 0
      7 commit k 10 key=c                     => applied 0 none
      7 commit k 10 key=c                     => replayed 0
      """),
  ]

  static let refunds = [
    Scenario(
      "forgive: what is left goes, what was used is forgiven",
      """
      1 credit 7 100 payment charge=a         => applied 100
      1 credit 7 10 bonus charge=a            => applied 110
      1 credit 7 5 payment charge=b           => applied 115
      1 debit 7 30                            => applied 85
      2 clawback a forgive key=x              => applied 5 3:5
      2 clawback a forgive key=x              => replayed 5
      2 clawback a debt key=x                 => conflict -
      2 clawback b forgive key=x              => conflict -
      2 clawback a forgive                    => closed 5
      2 clawback c forgive                    => unknown -
      2 debit 7 1 key=x                       => conflict -
      """),
    Scenario(
      "debt: the other lots pay, then the balance goes below zero, repaid first",
      """
      1 credit 7 100 payment charge=a until=9 => applied 100
      1 credit 7 5 promo                      => applied 105
      1 debit 7 30                            => applied 75
      2 clawback a debt                       => applied -25 none
      2 debit 7 1                             => insufficient -25
      2 hold 7 1                              => insufficient -25
      2 credit 7 20 promo                     => applied -5 none
      2 credit 7 20 payment charge=b          => applied 15 6:15
      2 debit 7 15                            => applied 0 none
      """),
    Scenario(
      "debt from other lots in burn order",
      """
      1 credit 7 50 payment charge=a          => applied 50
      1 debit 7 40                            => applied 10
      1 credit 7 30 promo until=5             => applied 40
      1 credit 7 30 payment charge=b          => applied 70 3:30 1:10 4:30
      2 clawback a debt                       => applied 20 4:20
      """),
    Scenario(
      "a charge that is refunded credits nothing more",
      """
      1 credit 7 10 payment charge=a          => applied 10
      1 credit 7 10 payment charge=a          => duplicate_charge 10
      1 credit 8 10 payment charge=a          => duplicate_charge 0
      1 credit 8 10 bonus charge=a            => duplicate_charge 0
      1 clawback a forgive                    => applied 0
      1 credit 7 10 bonus charge=a            => refunded_charge 0
      1 credit 7 10 payment charge=a          => duplicate_charge 0
      1 credit 7 5 promo                      => applied 5
      """),
    Scenario(
      "forgive while held: a release is clawed back, a commit forgiven",
      """
      1 credit 7 20 payment charge=a          => applied 20
      1 credit 7 10 payment charge=b          => applied 30
      1 hold 7 8 key=h                        => applied 22
      1 hold 7 16 key=k                       => applied 6 2:6
      2 clawback a forgive                    => applied 6 2:6
      2 release h                             => applied 6 2:6
      2 commit k 5                            => applied 10 2:10
      """),
    Scenario(
      "debt while held: the held part counts as used, its release repays",
      """
      1 credit 7 20 payment charge=a          => applied 20
      1 hold 7 8 key=h                        => applied 12
      1 hold 7 7 key=k                        => applied 5
      2 clawback a debt                       => applied -15 none
      2 commit h 8                            => applied -15 none
      2 release k                             => applied -8 none
      2 credit 7 10 promo                     => applied 2
      """),
    Scenario(
      "a release that more than repays reopens its lots",
      """
      1 credit 7 20 payment charge=a          => applied 20
      1 credit 7 20 payment charge=b until=9  => applied 40
      1 hold 7 30 key=h                       => applied 10
      1 debit 7 5                             => applied 5
      2 clawback a debt                       => applied -15 none
      2 commit h 6                            => applied 9 1:9
      """),
    Scenario(
      "in debt, what comes back dead repays nothing",
      """
      1 credit 7 10 promo until=3             => applied 10
      1 credit 7 20 payment charge=a          => applied 30
      1 hold 7 12 key=h                       => applied 18
      2 clawback a debt                       => applied -2 none
      4 release h                             => applied 0 none
      """),
    Scenario(
      "expired credits are never owed",
      """
      1 credit 7 20 payment charge=a until=3  => applied 20
      1 debit 7 5                             => applied 15
      4 clawback a debt                       => applied -5 none
      1 credit 8 20 payment charge=b until=3  => applied 20
      4 clawback b debt                       => applied 0 none
      """),
    Scenario(
      "an approved refund holds what is left until it is confirmed or fails",
      """
      1 credit 7 20 payment charge=a          => applied 20
      1 credit 7 2 bonus charge=a             => applied 22
      1 credit 7 5 promo                      => applied 27
      1 debit 7 4                             => applied 23 3:3 1:20
      2 refund a key=r                        => applied 3 3:3
      2 refund a key=r                        => replayed 3
      2 refund b key=r                        => conflict -
      2 refund a                              => duplicate_charge 3
      2 refund b                              => unknown -
      2 debit 7 4                             => insufficient 3
      2 commit r 1                            => invalid -
      2 release r                             => applied 23 3:3 1:20
      3 refund a key=s                        => applied 3
      3 clawback a forgive key=x              => applied 3 3:3
      3 clawback a forgive key=x              => replayed 3
      3 refund a                              => closed 3
      3 release s                             => closed 3
      """),
    Scenario(
      "an approved refund of a used charge",
      """
      1 credit 7 20 payment charge=a until=5  => applied 20
      1 debit 7 20                            => applied 0
      1 refund a                              => none 0
      1 clawback a forgive                    => applied 0
      1 credit 7 20 payment charge=b until=5  => applied 20
      1 debit 7 5                             => applied 15
      2 refund b key=r                        => applied 0
      6 clawback b debt                       => applied -5 none
      """),
    Scenario(
      "an approved refund whose lot expires: failure loses it",
      """
      1 credit 7 20 payment charge=a until=5  => applied 20
      2 refund a key=r                        => applied 0
      6 release r                             => applied 0 none
      """),
  ]

  /// 64 lots of different expiry, then what still fits.
  static let capped = [
    Scenario(
      "at the cap equal lots merge, promos are refused, payments pass",
      (1...64).map { "1 credit 7 1 promo until=\(100 + $0) => applied \($0)" }
        .joined(separator: "\n") + """

          1 credit 7 5 promo until=300        => lot_limit 64
          1 credit 7 5 trial until=101        => lot_limit 64
          1 credit 7 5 promo until=101 key=m  => applied 69
          1 credit 7 5 promo until=101 key=m  => replayed 69
          1 credit 7 5 payment charge=a       => applied 74
          1 credit 7 5 bonus charge=a         => applied 79
          1 debit 7 6                         => applied 73
          1 credit 7 5 promo until=300        => lot_limit 73
          1 clawback a forgive                => applied 63
          1 credit 7 5 promo until=300        => applied 68
          102 credit 7 5 goodwill             => applied 72
          """)
  ]
}
