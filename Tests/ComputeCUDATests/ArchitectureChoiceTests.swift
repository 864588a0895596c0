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
}
