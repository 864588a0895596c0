import Compute
import ComputeCPU
import Denoiser
import Planning
import Tensors
import Testing

/// Plans for the processor, beside runs on it.
@Suite struct ProcessorPlanTests {
    private static let runs = [
        SmallRun(precision: .float32), SmallRun(precision: .bfloat16),
        SmallRun(precision: .int8), SmallRun(precision: .float8),
        SmallRun(precision: .bfloat16, attention: .float8),
    ].filter { CPUDevice.isSupported($0.request.precision.activationType) }

    private func plan(
        _ request: PlanRequest, _ device: CPUDevice, limit: Int? = nil
    ) throws -> MemoryPlan {
        var place = PlanPlace(name: "cpu", limit: limit, overhead: nil, rates: nil)
        place.processor = ProcessorAbilities(
            threads: device.threads, multipliesBFloat16: CPUDevice.isSupported(.bfloat16),
            multipliesInt8: CPUDevice.isSupported(.int8))
        return try MemoryPlan(request, at: place)
    }

    /// A run at exactly the least limit works, and holds most of it, observed 0.935 to 0.981; a byte less is refused before.
    @Test(arguments: runs.indices) func runsAtItsLeast(index: Int) throws {
        let run = Self.runs[index]
        func device(_ limit: Int?) throws -> CPUDevice {
            try CPUDevice(
                activationType: run.request.precision.activationType,
                matrixType: run.request.precision.matrixType, memoryLimit: limit, threads: 2)
        }
        let least = try plan(run.request, device(nil)).minimumBytes
        let limited = try device(least)
        try run.run(blocks: 2, on: limited)
        #expect(limited.peakBytes > least / 10 * 9, "\(limited.peakBytes) of \(least)")
        #expect(throws: PlanRefusal.self) {
            try plan(run.request, limited, limit: least - 1)
        }
    }
}
