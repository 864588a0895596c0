import Foundation

/// The noise levels of a flow-matching run: x = (1 - sigma) * clean + sigma * noise.
public struct FlowSchedule: Sendable {
    /// The ways from one noise level to the next.
    public enum Solver: String, CaseIterable, Sendable {
        /// First order; the one that the released pipeline runs.
        case euler
        /// A predictor and corrector of second order: arXiv:2302.04867.
        case unipc
        /// Multistep of second order: arXiv:2211.01095.
        case dpmpp = "dpm++"
    }

    /// The solver that these levels are for.
    public let solver: Solver
    /// The noise level in front of each step, and 0 behind the last.
    public let sigmas: [Float]
    /// What the model is told of each step's level, 0 to 1000.
    public let timesteps: [Float]

    /// Number of steps.
    public var steps: Int { timesteps.count }

    private static let shift = 3.0
    private static let trainingSteps = 1000.0

    /// The schedule of `steps` steps as the released code makes it. Traps unless there is one at
    /// least.
    ///
    /// Source: `FlowMatchEulerDiscreteScheduler` of Diffusers 0.34, and `fm_solvers.py` and
    /// `fm_solvers_unipc.py` in
    /// https://github.com/Alibaba-Quark/LiveAvatar/tree/9c2c38d/liveavatar/models/wan/wan_2_2/utils
    public init(solver: Solver, steps: Int) {
        precondition(steps >= 1)
        self.solver = solver
        let levels: [Double]
        switch solver {
        case .euler:
            // The shift acts twice on the lowest level: once in training, once more here.
            let lowest = Double(Float(3) * Float(0.001) / (1 + Float(2) * Float(0.001)))
            levels = Self.spread(from: 1, to: lowest, count: steps)
        case .unipc:
            levels = Self.spread(from: Double(Float(1 - 0.001)), to: 0, count: steps + 1).dropLast()
        case .dpmpp:
            levels = Self.spread(from: 1, to: 0, count: steps + 1).dropLast()
        }
        let shifted = levels.map { Self.shift * $0 / (1 + (Self.shift - 1) * $0) }
        sigmas = shifted.map { Float($0) } + [0]
        timesteps =
            solver == .euler
            ? shifted.map { Float($0) * Float(Self.trainingSteps) }
            : shifted.map { Float(($0 * Self.trainingSteps).rounded(.towardZero)) }
    }

    private static func spread(from start: Double, to end: Double, count: Int) -> [Double] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Double(count - 1)
        return (0..<count).map { $0 == count - 1 ? end : start + Double($0) * step }
    }
}
