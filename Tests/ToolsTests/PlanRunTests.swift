import Foundation
import TestSupport
import Testing

/// Planning without a card and without the published weights.
@Suite struct PlanRunTests {
    private let tool = BuiltTool(name: "plan-run")

    private func json(_ arguments: [String]) throws -> [String: Any] {
        let outcome = try tool.run(arguments + ["--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private func devices(_ plan: [String: Any]) throws -> [[String: Any]] {
        try #require(plan["devices"] as? [[String: Any]])
    }

    /// Without weights it plans for the published model: each of four cards has a step, and nothing is streamed.
    @Test func plansFourCards() throws {
        let narrow = ["--precision", "fp8", "--attention", "fp8"]
        let plan = try json(["--size", "704x384", "--devices", "4x22.15GiB"] + narrow)
        let cards = try devices(plan)
        #expect(cards.map { $0["steps"] as? [Int] } == [[1], [2], [3], [4]])
        for card in cards {
            let limit = try #require(card["limit_bytes"] as? Int)
            #expect(limit == 23_783_381_401)
            #expect(try #require(card["total_bytes"] as? Int) <= limit)
            #expect(card["host_bytes"] as? Int == 0)
        }
        #expect(plan["frames_per_second"] is Double)
    }

    /// Sizes come from the weights that are given, also with a LoRA.
    @Test func readsWeights() throws {
        let weights = Fixtures.path("open/ckpt")
        let plan = try json([
            "--weights", weights, "--lora", weights + "/LiveAvatar", "--size", "64x64",
            "--devices", "2GiB",
        ])
        let groups = try #require(try devices(plan)[0]["groups"] as? [String: Any])
        #expect((groups["layer_weights"] as? [Int])?.count == 3)
        // Conditioning 16 + 16 + 4 + 4 and clip 12 x 16 rows of 48, keys and values in bfloat16.
        let rows = 16 + 16 + 4 + 4 + 12 * 16
        #expect(groups["window"] as? Int == 2 * ((rows * 48 * 2 + 511) / 512 * 512))
    }

    @Test func printsATable() throws {
        let both = try tool.run("--devices", "cpu:64GiB,80GiB", "--steps", "2", "--size", "64x64")
        #expect(both.status == 0)
        // A processor has no link, and nobody knows how fast it is.
        #expect(both.output.contains(/link a step +- +- |link a step, back +- +0.00 GB\n/))
        #expect(!both.output.contains("frames a second"))
        let card = try tool.run("--devices", "80GiB", "--actors", "2", "--guidance")
        #expect(card.status == 0)
        #expect(
            card.output.hasPrefix(
                "704x384 in 4 steps with bf16 weights and bf16 windows, 2 voices, guided\n"))
        #expect(card.output.contains(/step +\d+\.\d ms\n/))
    }

    /// One line says what lacks and what would fit.
    @Test func refusesWhatDoesNotFit() throws {
        let outcome = try tool.run("--devices", "7GiB", "--size", "704x384")
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        let line = try #require(outcome.onlyError)
        #expect(line.hasPrefix("plan-run: cannot denoise 704x384 in 4 steps with bf16"))
        #expect(line.hasSuffix("more than there are; --precision fp8 would fit"))
    }

    @Test func namesWhatIsWrongWithWeights() throws {
        let outcome = try tool.run("--weights", "/nowhere", "--devices", "24GiB")
        #expect(outcome.status == 1)
        #expect(outcome.onlyError?.contains("'/nowhere'") == true)
    }

    @Test(arguments: [
        ["--devices", ""], ["--devices", "cpu:"], ["--devices", "gpu"],
        ["--devices", "0x24GiB"], ["--devices", "24"],
        ["--devices", "24GiB,"], ["--devices", "99x24GiB"],
        ["--devices", "24GiB", "--card", "h300"],
        ["--devices", "24GiB", "--steps", "0"], ["--devices", "24GiB", "--clip-frames", "40"],
        ["--devices", "24GiB", "--size", "100x64"], ["--devices", "24GiB", "--actors", "0"],
        ["--devices", "24GiB", "--lora", "L"], ["--devices", "24GiB", "--precision", "fp4"],
    ])
    func refusesWrongUsage(arguments: [String]) throws {
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.onlyError != nil)
    }

    @Test func saysWhereTheNameOfACardGoes() throws {
        let outcome = try tool.run("--devices", "RTX-4090")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("--devices 22.15GiB --card rtx-4090"))
    }

    /// Without devices it plans for those of this machine.
    @Test(.disabled(if: FileManager.default.fileExists(atPath: "/dev/nvidiactl")))
    func plansForThisMachine() throws {
        let plan = try json(["--weights", Fixtures.path("open/ckpt"), "--size", "64x64"])
        #expect(try devices(plan).map { $0["name"] as? String } == ["cpu"])
        #expect(plan["precision"] as? String == "f32")
    }

    @Test(.disabled(if: FileManager.default.fileExists(atPath: "/dev/nvidiactl")))
    func saysThatThereIsNoCUDA() throws {
        let outcome = try tool.run("--devices", "cuda:0")
        #expect(outcome.status == 1)
        #expect(outcome.onlyError?.contains("libcuda.so.1") == true)
    }
}
