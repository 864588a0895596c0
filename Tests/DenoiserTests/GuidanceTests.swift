import Denoiser
import TestSupport
import Testing

/// Guidance away from a negative prompt.
@Suite struct GuidanceTests {
    /// A model with a negative context that is not the positive one.
    private func model(scale: Float?) throws -> SyntheticModel {
        var model = try SyntheticModel()
        var random = NormalNumbers(seed: 9)
        let context = random.floats(5 * model.sizes.textDim)
        model.conditions.guidance = scale.map { .init(context: context, scale: $0) }
        return model
    }

    @Test func scaleOneIsNone() throws {
        let without = try model(scale: nil)
        let with = try model(scale: 1)
        let sequence = try with.sequence()
        #expect(sequence.negative == nil)
        let expected = try without.run(without.sequence(), blocks: 4).map(\.latents)
        let found = try with.run(sequence, blocks: 4).map(\.latents)
        #expect(found == expected)
        let guided = try model(scale: 1.001)
        #expect(try guided.run(guided.sequence(), blocks: 4).map(\.latents) != expected)
    }

    /// Two clips of Euler steps against the float64 reference, whose negative branch has windows
    /// and a conditioning of its own, and hears nothing.
    @Test(arguments: [4.5, 0] as [Float])
    func reference(scale: Float) throws {
        let model = try model(scale: scale)
        let sequence = try model.sequence()
        let found = try model.run(sequence, blocks: 4).map(\.latents)
        let negative = try #require(sequence.negative)
        #expect(negative.windows[0] !== sequence.positive.windows[0])
        let expected = try ReferenceRun(model).blocks(4)
        for (index, (block, wanted)) in zip(found, expected).enumerated() {
            let largest = wanted.map(abs).max() ?? 0
            let errors = zip(block.values, wanted).map { abs(Double($0) - $1) }
            // Observed: 1.6e-6 for 4.5, 4.0e-7 for 0.
            expect(
                Float((errors.max() ?? .infinity) / largest), within: 3e-5,
                "guidance \(scale), block \(index)")
        }
    }
}

/// Whole blocks by the float64 reference: guidance, Euler steps and the refresh of the reference.
private final class ReferenceRun {
    private let model: SyntheticModel
    private let reference: ReferenceTransformer
    private let schedule = FlowSchedule(solver: .euler, steps: 2)
    private let guidance: DenoisingConditions.Guidance
    private var branches: [Branch]

    /// One side of the guidance, with a cache for each step.
    private struct Branch {
        let context: [Float]
        let isSilent: Bool
        var caches: [ReferenceTransformer.Cache]
    }

    init(_ model: SyntheticModel) throws {
        self.model = model
        guidance = try #require(model.conditions.guidance)
        let reference = ReferenceTransformer(
            model.checkpoint, height: model.grid.height, width: model.grid.width,
            clipFrames: model.grid.clipFrames)
        self.reference = reference
        let caches = schedule.timesteps.map { _ in reference.emptyCache() }
        branches = [
            Branch(context: model.conditions.context, isSilent: false, caches: caches),
            Branch(context: guidance.context, isSilent: true, caches: caches),
        ]
    }

    /// The latents of the first `count` blocks.
    func blocks(_ count: Int) -> [[Double]] {
        var done: [[Double]] = []
        for index in 0..<count {
            let (clip, place) = index.quotientAndRemainder(dividingBy: model.grid.clipBlocks)
            if index == 0 || index == model.grid.clipBlocks {
                prefill(done.first.map { latents($0).frames(0..<1) })
            }
            var x = model.noise(clip).frames(place * 3..<place * 3 + 3).values.map(Double.init)
            for step in 0..<schedule.steps {
                let noisy = NoisyBlock(
                    latents: latents(x), frame: index * 3, timestep: schedule.timesteps[step],
                    window: step, sinkDistance: model.sinkDistance(clip, place, step))
                let change = Double(schedule.sigmas[step + 1]) - Double(schedule.sigmas[step])
                x = zip(x, velocity(of: noisy, index: index)).map { $0 + change * $1 }
            }
            done.append(x)
        }
        return done
    }

    private func prefill(_ refreshed: Latents?) {
        let sink = model.conditions.sink
        for branch in branches.indices {
            for step in branches[branch].caches.indices {
                reference.prefill(
                    &branches[branch].caches[step], reference: refreshed ?? sink.reference,
                    motion: sink.motion, context: branches[branch].context)
            }
        }
    }

    private func velocity(of noisy: NoisyBlock, index: Int) -> [Double] {
        let sound = model.sound(of: index)
        let sides = branches.indices.map { branch in
            reference.velocity(
                noisy,
                features: branches[branch].isSilent ? sound.map { $0.map { _ in 0 } } : sound,
                masks: nil, context: branches[branch].context,
                cache: &branches[branch].caches[noisy.window])
        }
        return zip(sides[0], sides[1]).map { with, without in
            without + Double(guidance.scale) * (with - without)
        }
    }

    private func latents(_ values: [Double]) -> Latents {
        Latents(
            channels: model.sizes.channels, frames: 3, height: model.grid.height,
            width: model.grid.width, values: values.map { Float($0) })
    }
}
