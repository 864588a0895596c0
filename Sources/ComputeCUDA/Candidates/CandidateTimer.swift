import Compute
import Tensors

/// Times candidates on a device, on operands of random numbers: many calls in a row, as in a run that keeps the card at its limit of
/// power. There what takes less energy is faster, which need not be what is faster on a cool card.
final class CandidateTimer {
    private let device: CUDADevice
    private let noise: Tensor
    private let output: Tensor
    private let start: Event
    private let stop: Event

    /// What one candidate took.
    struct Result {
        let name: String
        /// Where it is in the library's list.
        let rank: Int
        let workspaceBytes: Int
        let milliseconds: Float
    }

    /// A timer for these problems.
    init(_ problems: [CandidateProblem], on device: CUDADevice) throws {
        self.device = device
        let inputs = problems.map { Self.offsets($0.inputs).end }.max() ?? 0
        noise = try Self.noise(bytes: inputs, on: device)
        output = try device.allocate([max(1, problems.map(\.output).max() ?? 0)], .uint8)
        start = try Event(device.context, isTimed: true)
        stop = try Event(device.context, isTimed: true)
    }

    /// Milliseconds of a candidate's calls, the second half of which are timed.
    private static let stretch: Float = 300
    /// Milliseconds that a call is taken for at least.
    private static let shortest: Float = 1e-3
    /// A candidate that is this much slower than the best one is timed once.
    private static let hopeless: Float = 2

    /// Times at most `limit` candidates of a problem, for about so many seconds.
    func results(_ problem: CandidateProblem, limit: Int, seconds: Double) throws -> [Result] {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var results: [Result] = []
        for (rank, candidate) in try problem.candidates().prefix(limit).enumerated() {
            guard clock.now < end || results.isEmpty else { break }
            let best = results.map(\.milliseconds).min() ?? .infinity
            guard let prepared = try? candidate.prepare(),
                let time = try? self.time(prepared, problem, best: best)
            else { continue }
            results.append(
                Result(
                    name: candidate.name, rank: rank, workspaceBytes: prepared.workspaceBytes,
                    milliseconds: time))
        }
        return results
    }

    /// The mean of many calls behind as many that are not counted.
    private func time(
        _ prepared: Candidate.Prepared, _ problem: CandidateProblem, best: Float
    ) throws -> Float {
        let elements = noise.reshaped([noise.shape.elementCount])
        let inputs = Self.offsets(problem.inputs).starts.map {
            elements.rows($0 / DataType.bfloat16.size..<elements.shape[0])
        }
        func mean(of calls: Int) throws -> Float {
            try start.record(in: device.stream)
            for _ in 0..<calls { try prepared.run(inputs, output) }
            try stop.record(in: device.stream)
            try stop.synchronize()
            return try stop.milliseconds(since: start) / Float(calls)
        }
        _ = try mean(of: 1)
        let first = try mean(of: 1)
        guard first < Self.hopeless * best else { return first }
        let calls = max(1, Int(Self.stretch / 2 / max(first, Self.shortest)))
        _ = try mean(of: calls)
        return try mean(of: calls)
    }

    /// Where operands of so many bytes begin one behind another, and where the last one ends.
    private static func offsets(_ bytes: [Int]) -> (starts: [Int], end: Int) {
        var (starts, end) = ([Int](), 0)
        for count in bytes {
            starts.append(end)
            end += (count + 511) / 512 * 512
        }
        return (starts, end)
    }

    /// Random bfloat16 numbers about 1 in size, in so many bytes.
    private static func noise(bytes: Int, on device: CUDADevice) throws -> Tensor {
        var generator = SystemRandomNumberGenerator()
        let row = 1 << 20
        let count = max(1, (bytes / DataType.bfloat16.size + row - 1) / row)
        let noise = try device.allocate([count, row], .bfloat16)
        let bits = (0..<row).map { _ -> UInt16 in
            let random = generator.next()
            let exponent = UInt16(124 + random % 4)
            return UInt16(truncatingIfNeeded: random >> 32) & 0x807F | exponent << 7
        }
        try bits.withUnsafeBytes { try device.write($0, to: noise.rows(0..<1)) }
        var filled = 1
        while filled < count {
            let more = min(filled, count - filled)
            try device.copy(noise.rows(0..<more), into: noise.rows(filled..<filled + more))
            filled += more
        }
        return noise
    }
}
