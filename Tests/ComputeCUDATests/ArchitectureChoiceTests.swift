import ComputeCUDA
import Testing

/// For which older cards a card stands in.
@Suite struct ArchitectureChoiceTests {
    @Test(arguments: [nil, "", "sm_90"]) func isTheCardsOwn(asked: String?) throws {
        let choice = try ArchitectureChoice(own: 90, oldest: 80, asked: asked)
        #expect(choice.architecture == 90 && !choice.isStandIn)
    }

    @Test(arguments: [80, 86, 89]) func isAnOlderOne(number: Int) throws {
        let choice = try ArchitectureChoice(own: 90, oldest: 80, asked: "sm_\(number)")
        #expect(choice.architecture == number && choice.isStandIn)
    }

    @Test func isWhatTheCompilerKnows() throws {
        let card = try ArchitectureChoice(own: 130, oldest: 80, asked: nil)
        #expect(card.known(among: [80, 90, 130]) == card)
        let older = card.known(among: [80, 90, 120, 140])
        #expect(older.architecture == 120 && older.isStandIn)
        // The compiler itself says that it knows none.
        #expect(card.known(among: [140]) == card)
    }

    @Test(arguments: ["sm_75", "sm_100", "86", "sm_", "sm_8x", "sm_86 "])
    func refusesWhatItCannotBe(asked: String) {
        do {
            _ = try ArchitectureChoice(own: 90, oldest: 80, asked: asked)
            Issue.record("'\(asked)' is taken")
        } catch {
            #expect(
                error.reason
                    == "CUDA_ARCHITECTURE is '\(asked)', and sm_80 to sm_90 are possible")
        }
    }

    /// Its own instructions run on no other.
    @Test func noCardStandsInForHopper() throws {
        #expect(throws: ArchitectureChoice.Refusal.self) {
            _ = try ArchitectureChoice(own: 120, oldest: 80, asked: "sm_90")
        }
        let card = try ArchitectureChoice(own: 120, oldest: 80, asked: nil)
        #expect(card.known(among: [80, 90]).name == "compute_90" && card.name == "sm_120")
        #expect(try ArchitectureChoice(own: 90, oldest: 80, asked: nil).name == "sm_90a")
    }
}
