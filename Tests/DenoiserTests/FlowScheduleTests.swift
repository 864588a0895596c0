import Denoiser
import Foundation
import Tensors
import TestSupport
import Testing

/// Levels and trajectories of every solver against those of the released code.
@Suite struct FlowScheduleTests {
    let goldens: TensorFile

    init() throws {
        goldens = try TensorFile(path: Fixtures.path("open/goldens/scheduler.safetensors"))
    }

    static let cases: [(FlowSchedule.Solver, String, Int)] = [
        (.euler, "euler", 3), (.euler, "euler", 4), (.euler, "euler", 5), (.euler, "euler", 6),
        (.euler, "euler", 20), (.unipc, "unipc", 5), (.unipc, "unipc", 20), (.dpmpp, "dpmpp", 5),
        (.dpmpp, "dpmpp", 20),
    ]

    @Test(arguments: cases)
    func levels(solver: FlowSchedule.Solver, name: String, steps: Int) throws {
        let schedule = FlowSchedule(solver: solver, steps: steps)
        let sigmas = try goldens.tensor("\(name).n\(steps).sigmas").floats()
        let timesteps = try goldens.tensor("\(name).n\(steps).timesteps").doubles().map {
            Float($0)
        }
        // Observed: 6e-8 and 6.1e-5 (one unit in the last place at 1000).
        #expect(largestDifference(schedule.sigmas, sigmas) <= 1e-6)
        #expect(largestDifference(schedule.timesteps, timesteps) <= 1.3e-4)
    }

    @Test(arguments: [("euler", FlowSchedule.Solver.euler), ("unipc", .unipc), ("dpmpp", .dpmpp)])
    func trajectory(name: String, solver: FlowSchedule.Solver) throws {
        let golden = try goldens.tensor("\(name).trajectory")
        let count = golden.shape.elementCount / golden.shape[0]
        let states = golden.floats()
        let schedule = FlowSchedule(solver: solver, steps: golden.shape[0] - 1)
        var flow = FlowSolver(schedule)
        var sample = Array(states[0..<count])
        for step in 0..<schedule.steps {
            let time = schedule.timesteps[step] / 1000
            let velocity = sample.map { tanh(0.7 * $0 + time) - 0.3 * $0 }
            sample = flow.step(step, sample: sample, velocity: velocity)
            let expected = Array(states[(step + 1) * count..<(step + 2) * count])
            // Observed at most 1.1e-6.
            #expect(largestDifference(sample, expected) <= 1e-5)
        }
    }
}
