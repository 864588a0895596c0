import Compute
import Denoiser
import Tensors
import TestSupport
import Testing

/// Going on after a restart, and a schedule shared by several sequences, to the bit.
@Suite struct RestartTests {
    /// What a run of blocks left on disk, and every window behind each block.
    private struct Record {
        var blocks: [DenoisedBlock] = []
        var windows: [[[Float]]] = []
    }

    /// Blocks of a sequence from the start, with the windows behind each.
    private func record(
        _ model: SyntheticModel, _ schedule: FlowSchedule, blocks: Int
    ) throws -> Record {
        let sequence = try model.sequence(schedule)
        var record = Record()
        for index in 0..<blocks {
            let block = try sequence.denoise(
                index, audio: model.sound(of: index),
                refresh: { model.refresh(record.blocks.first?.latents) })
            record.blocks.append(block)
            record.windows.append(try windows(of: sequence, behind: index, model))
        }
        return record
    }

    /// The rings of a sequence behind block `index`, branch by branch, step by step and layer by
    /// layer, without the rows that the next block will write before it reads.
    private func windows(
        of sequence: LatentSequence, behind index: Int, _ model: SyntheticModel
    ) throws -> [[Float]] {
        let tokens = model.grid.blockTokens
        let next = (index + 1) % model.grid.clipBlocks
        let kept = [0..<next * tokens, (next + 1) * tokens..<model.grid.windowTokens]
        return try [sequence.positive, sequence.negative].compactMap(\.self).flatMap { branch in
            try branch.windows.flatMap { window in
                try (0..<model.sizes.layers).flatMap { layer in
                    try window.reading(layer: layer) { held in
                        try kept.flatMap {
                            [
                                try model.device.floats(held.ring.keys.rows($0)),
                                try model.device.floats(held.ring.values.rows($0)),
                            ]
                        }
                    }
                }
            }
        }
    }

    /// A fresh sequence that replayed the `count` blocks in front of `index`.
    private func replayed(
        _ model: SyntheticModel, _ schedule: FlowSchedule, _ record: Record, before index: Int,
        count: Int
    ) throws -> LatentSequence {
        let sequence = try model.sequence(schedule)
        for block in max(0, index - count)..<index {
            let inputs = [try sequence.noise(of: block)] + record.blocks[block].stepInputs
            try sequence.replay(
                block, audio: model.sound(of: block), stepInputs: inputs,
                refresh: { model.refresh(record.blocks[0].latents) })
        }
        return sequence
    }

    /// Runs of clips of so many blocks.
    struct Clips: Sendable {
        let blocks: Int
        var isGuided = false
        var windowType: DataType?
    }

    /// Twelve blocks, restarted behind each one.
    @Test(
        arguments: [
            Clips(blocks: 2), Clips(blocks: 4), Clips(blocks: 2, isGuided: true),
            Clips(blocks: 4, windowType: .float8E4M3),
            Clips(blocks: 2, isGuided: true, windowType: .float8E4M3),
        ],
        [FlowSchedule.Solver.euler, .unipc, .dpmpp])
    func continuesWithTheSameBits(clips: Clips, solver: FlowSchedule.Solver) throws {
        var model = try SyntheticModel(
            .smallest, height: 8, width: 8, clipFrames: 3 * clips.blocks,
            windowType: clips.windowType)
        if clips.isGuided {
            let context = [Float](model.conditions.context.reversed())
            model.conditions.guidance = .init(context: context, scale: 3)
        }
        let schedule = FlowSchedule(solver: solver, steps: 3)
        let record = try record(model, schedule, blocks: 12)
        let needed = model.transformer.configuration.replayBlocks(on: model.grid)
        #expect(needed == model.sizes.layers * (clips.blocks - 1))
        for index in 1..<12 {
            let sequence = try replayed(model, schedule, record, before: index, count: needed)
            let windows = try windows(of: sequence, behind: index - 1, model)
            #expect(windows == record.windows[index - 1], "before block \(index)")
            let block = try sequence.denoise(
                index, audio: model.sound(of: index),
                refresh: { model.refresh(record.blocks[0].latents) })
            #expect(block.latents == record.blocks[index].latents, "block \(index)")
            #expect(block.stepInputs == record.blocks[index].stepInputs)
        }
    }

    /// The number of replayed blocks is not generous: with one less, the windows and the next block
    /// differ.
    @Test func oneBlockLessIsTooFew() throws {
        let model = try SyntheticModel(.smallest, height: 8, width: 8, clipFrames: 12)
        let schedule = FlowSchedule(solver: .euler, steps: 2)
        let record = try record(model, schedule, blocks: 12)
        let needed = model.transformer.configuration.replayBlocks(on: model.grid)
        for index in needed + 1..<12 {
            let short = try replayed(model, schedule, record, before: index, count: needed - 1)
            #expect(try windows(of: short, behind: index - 1, model) != record.windows[index - 1])
            let block = try short.denoise(
                index, audio: model.sound(of: index),
                refresh: { model.refresh(record.blocks[0].latents) })
            #expect(block.latents != record.blocks[index].latents)
            let exact = try replayed(model, schedule, record, before: index, count: needed)
            #expect(try windows(of: exact, behind: index - 1, model) == record.windows[index - 1])
        }
    }

    /// A prefill that was stopped halfway, as by a signal, is done again.
    @Test(arguments: [nil, DataType.float8E4M3]) func continuesAfterAStop(
        windowType: DataType?
    ) throws {
        struct Stop: Error {}
        let model = try SyntheticModel(.smallest, windowType: windowType)
        let expected = try model.run(model.sequence(), blocks: 4).map(\.latents)
        let sequence = try model.sequence()
        var found: [Latents] = []
        for index in 0..<4 {
            let refresh = { model.refresh(expected[0]) }
            for stop in 1...2 {
                var reports = 0
                #expect(throws: Stop.self) {
                    _ = try sequence.denoise(
                        index, audio: model.sound(of: index), refresh: refresh
                    ) { _ in
                        reports += 1
                        if reports == stop { throw Stop() }
                    }
                }
            }
            found.append(
                try sequence.denoise(index, audio: model.sound(of: index), refresh: refresh)
                    .latents)
        }
        #expect(found == expected)
    }

    /// Every way to share four steps between sequences that hand latents on.
    @Test(arguments: [nil, DataType.float8E4M3]) func rangesOfSteps(windowType: DataType?) throws {
        let model = try SyntheticModel(.smallest, windowType: windowType)
        let schedule = FlowSchedule(solver: .euler, steps: 4)
        let expected = try model.run(model.sequence(schedule), blocks: 5).map(\.latents)
        for cuts in 0..<8 {
            let bounds = [0] + (1..<4).filter { cuts >> ($0 - 1) & 1 == 1 } + [4]
            let sequences = try zip(bounds, bounds.dropFirst()).map {
                try model.sequence(schedule, steps: $0..<$1)
            }
            let found = try model.run(through: sequences, blocks: 5)
            #expect(found == expected, "\(bounds)")
        }
    }
}
