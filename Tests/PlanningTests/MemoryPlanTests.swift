import Compute
import Denoiser
import Planning
import Tensors
import Testing

/// What a plan counts, beside what a run of the model really takes.
@Suite struct MemoryPlanTests {
    private static let runs = [
        SmallRun(), SmallRun(steps: 1), SmallRun(branches: 2, actors: 2),
        SmallRun(precision: .float8, attention: .float8),
        SmallRun(steps: 3, branches: 2, precision: .int8), SmallRun(precision: .float32),
        SmallRun(precision: .float8, attention: .float8, head: 128),
    ]
    private static let every: Set<Int> = [0, 1, 2, 3]

    private static func residencies(steps: Int) -> [DenoiserResidency] {
        [
            .resident, DenoiserResidency(streamedLayers: every),
            DenoiserResidency(streamedLayers: [1, 2]),
            DenoiserResidency(streamedWindows: Array(repeating: every, count: steps)),
            DenoiserResidency(
                streamedLayers: [0, 1, 3],
                streamedWindows: Array(repeating: [0, 2, 3], count: steps)),
        ]
    }

    /// The plan's bytes are those of a run, to the byte.
    @Test(arguments: runs.indices) func countsWhatARunTakes(index: Int) throws {
        let run = Self.runs[index]
        let groups = try run.plan().groups
        for residency in Self.residencies(steps: run.request.steps) {
            let found = try run.run(residency)
            #expect(groups.running(residency) - groups.libraries == found.reach)
            #expect(groups.bytes(residency) >= groups.running(residency))
            #expect(groups.bytes(residency) - groups.libraries >= found.start)
        }
    }

    /// The same on cards whose libraries offer less: sums of 8-bit products apart, windows widened for each attention.
    @Test(arguments: ["rtx-4090", "rtx-5090", "a100"], [Precision.float8, .int8])
    func countsWhatOtherCardsTake(name: String, precision: Precision) throws {
        let rates = try #require(CardRates.named(name))
        let card = CardAbilities(architecture: rates.architecture)
        guard card.multipliesFloat8 || precision != .float8 else { return }
        let run = SmallRun(precision: precision, attention: .float8)
        let plan = try run.plan(rates: rates)
        let found = try run.run(.resident, on: card)
        #expect(plan.groups.running(.resident) - plan.groups.libraries == found.reach)
        #expect(plan.text.contains("attention computed in bf16 from fp8 windows"))
        #expect(plan.seconds != nil)
    }

    /// A larger limit streams no more, and every plan is within its limit.
    @Test(arguments: runs.indices) func streamsNoMoreWithMoreMemory(index: Int) throws {
        let run = Self.runs[index]
        let all = try run.plan()
        #expect(all.residency == .resident && all.linkBytes.fetched == 0)
        // In steps of the card's, the whole small model is one; so the tensors' bytes are what is limited here.
        let choice = ResidencyChoice(all.groups)
        let (least, most) = (choice.minimum, all.groups.bytes(.resident))
        var last = Int.max
        for room in stride(from: least, through: most, by: max(1, (most - least) / 60)) {
            let residency = try #require(choice.fitting(room))
            #expect(all.groups.bytes(residency) <= room)
            let host = all.groups.hostBytes(residency)
            #expect(host <= last)
            last = host
        }
        #expect(choice.fitting(least - 1) == nil)
        #expect(choice.fitting(most) == .resident)
    }

    /// What the plan says of the link is what a run asks of it.
    @Test(arguments: runs.indices) func countsTheLink(index: Int) throws {
        let run = Self.runs[index]
        let resident = try run.plan()
        for residency in Self.residencies(steps: run.request.steps) {
            let planned = LinkSchedule(
                run.request, groups: resident.groups, residency: residency
            ).bytesOfBlock
            let found = try run.run(residency).traffic
            #expect(planned == found, "\(residency)")
        }
    }

    @Test func acceptsExactlyItsLeast() throws {
        let run = SmallRun(precision: .float8, attention: .float8)
        let least = try run.plan().minimumBytes
        let plan = try run.plan(limit: least)
        #expect(plan.totalBytes <= least)
        let refusal = #expect(throws: PlanRefusal.self) { try run.plan(limit: least - 1) }
        #expect(refusal?.lacking == 1)
    }

    /// A processor has no memory apart: it holds everything or refuses.
    @Test func streamsNothingOnAProcessor() throws {
        let run = SmallRun(steps: 4)
        func plan(_ limit: Int?) throws -> MemoryPlan {
            try MemoryPlan(
                run.request, at: PlanPlace(name: "cpu", limit: limit, overhead: nil, rates: nil))
        }
        let whole = try plan(nil)
        #expect(whole.totalBytes == whole.minimumBytes)
        #expect(try plan(whole.totalBytes).residency == .resident)
        #expect(throws: PlanRefusal.self) { try plan(whole.totalBytes - 1) }
    }
}
