import Compute
import ComputeCUDA
import Tensors

/// One operation at one size of the published models at 704x384.
struct KernelBenchmark: Sendable {
    /// The operation and its shape.
    let name: String
    /// The variants of its kernel worth timing; the first is the project's choice.
    let variants: [Variant]
    /// Makes operands.
    let prepare: @Sendable (CUDADevice) throws -> Operands

    /// A way of making kernels.
    struct Variant: Sendable {
        let name: String
        let tuning: KernelTuning

        init(_ name: String, _ change: (inout KernelTuning) -> Void = { _ in }) {
            var tuning = KernelTuning()
            change(&tuning)
            (self.name, self.tuning) = (name, tuning)
        }
    }

    /// One set of operands of an operation.
    struct Operands {
        /// What the operation reads and writes, each tensor as often.
        let tensors: [Tensor]
        /// The one that it writes.
        let result: Tensor
        /// Multiplications and additions of a call; 0 where bytes decide.
        var flops = 0
        let call: () throws -> Void

        var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
    }
}

extension KernelBenchmark {
    /// What a variant took.
    struct Outcome {
        /// Median of the rounds, for one call.
        let seconds: Double
        /// Bytes that a call reads and writes.
        let bytes: Int
        /// Multiplications and additions of a call.
        let flops: Int
        /// The result of one call.
        let values: [Float]
        /// Elements that came out differently when the same was called with the same operands elsewhere in memory.
        let unsteady: Int
    }

    /// All sets together are larger than any cache.
    private static let leastBytes = 300 << 20
    private static let rounds = 9
    /// Seconds of a round, about.
    private static let roundSeconds = 2e-3

    /// Times a variant: rounds of many calls in a row, each with operands that are no longer in a cache.
    func measure(on device: CUDADevice) throws -> Outcome {
        var sets = [try prepare(device)]
        let bytes = sets[0].byteCount
        while sets.count * bytes < Self.leastBytes || sets.count < 2 {
            sets.append(try prepare(device))
        }
        let values = try result(of: sets[0], on: device)
        let again = try result(of: sets[1], on: device)
        let estimate = max(Double(bytes) / 4e12, Double(sets[0].flops) / 8e14)
        let calls = max(sets.count, Int(Self.roundSeconds / estimate))
        let times = try (0...Self.rounds).map { _ in
            try seconds(of: calls, with: sets, on: device)
        }
        return Outcome(
            seconds: times.dropFirst().sorted()[Self.rounds / 2], bytes: bytes,
            flops: sets[0].flops, values: values,
            unsteady: zip(values, again).count { $0.bitPattern != $1.bitPattern })
    }

    private func result(of set: Operands, on device: CUDADevice) throws -> [Float] {
        try set.call()
        return try device.floats(set.result)
    }

    /// Seconds of one of so many calls.
    private func seconds(
        of calls: Int, with sets: [Operands], on device: CUDADevice
    ) throws -> Double {
        let start = try device.markStart()
        for call in 0..<calls { try sets[call % sets.count].call() }
        let seconds = try device.seconds(from: start, to: device.markEnd())
        device.removeMarks()
        return seconds / Double(calls)
    }
}
