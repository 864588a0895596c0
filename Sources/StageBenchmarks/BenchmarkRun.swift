import Compute

/// Times a stage on a device.
public struct BenchmarkRun {
    private let subject: BenchmarkSubject
    private let rounds: Int
    private let isProfiled: Bool
    private let candidates: Int?

    /// So many rounds of a subject, one more with every operation timed if `isProfiled`, and then so many `candidates` for
    /// each product, attention and convolution, on devices that have them.
    public init(
        _ subject: BenchmarkSubject, rounds: Int, isProfiled: Bool, candidates: Int? = nil
    ) {
        precondition(rounds > 0)
        self.subject = subject
        self.rounds = rounds
        self.isProfiled = isProfiled
        self.candidates = candidates
    }

    /// Loads, prepares, warms up and times. `note` hears what is being done. Throws what the device throws.
    public func callAsFunction(
        on device: any Device, note: (String) throws -> Void
    ) throws -> BenchmarkResult {
        let profiler = isProfiled ? ProfilingDevice(device) : nil
        let target: any Device = profiler ?? device
        let benchmark = try subject.benchmark()
        try note("making up weights")
        try benchmark.weights.makeNumbers()
        try note("loading weights")
        let loadingSeconds = try seconds(on: device) { try benchmark.load(on: target) }
        let loading = BenchmarkResult.Loading(
            bytes: benchmark.loadedBytes, seconds: loadingSeconds)
        try note("preparing")
        var works: [TimedWork] = []
        let preparation = try seconds(on: device) { works = try benchmark.prepare(on: target) }
        let memory = device as? any MemoryReporting
        let allocated = memory?.allocatedBytes
        let timed = try works.map { work in
            try note("timing: \(work.name)")
            return try time(work, of: benchmark, on: device)
        }
        let table = try candidates.map { limit in
            try note("timing candidates")
            return try self.candidateTable(limit, on: device)
        }
        return BenchmarkResult(
            stage: subject.stage.rawValue, device: device.name,
            precision: "\(device.activationType)", matrices: "\(device.matrixType)",
            attention: subject.stage == .denoise
                ? "\(subject.windowType ?? device.activationType)" : nil,
            size: [subject.width, subject.height],
            layers: subject.layers, widthDivisor: subject.sizes.divisor, loading: loading,
            preparationSeconds: preparation, works: timed,
            memory: .init(
                allocatedBytes: allocated, peakBytes: memory?.peakBytes,
                reservedBytes: memory?.reservedBytes, reachedBytes: memory?.reachedBytes,
                cardBytes: memory?.cardBytes, processBytes: memory?.processBytes),
            kernels: (device as? any KernelReporting)?.kernelsUsed,
            profile: try profiler.map { try profile(works[0], with: $0) }, candidates: table)
    }

    private func time(
        _ work: TimedWork, of benchmark: any StageBenchmark, on device: any Device
    ) throws -> BenchmarkResult.Work {
        try work.run()
        let reporting = device as? any KernelReporting
        let before = (reporting?.launchCount ?? 0, reporting?.libraryCallCount ?? 0)
        let traffic = benchmark.traffic
        let times = try (0..<rounds).map { _ in try seconds(on: device, work.run) }
        return BenchmarkResult.Work(
            name: work.name, seconds: Spread(times),
            launches: reporting.map { ($0.launchCount - before.0) / rounds },
            libraryCalls: reporting.map { ($0.libraryCallCount - before.1) / rounds },
            fetchedBytes: (benchmark.traffic.fetched - traffic.fetched) / rounds,
            storedBytes: (benchmark.traffic.stored - traffic.stored) / rounds)
    }

    /// Seconds that the table of candidates may take.
    private static let candidateSeconds = 50.0

    private func candidateTable(_ limit: Int, on device: any Device) throws -> String {
        guard let reporting = device as? any CandidateReporting else {
            throw UnsupportedOperation(device: device.name, operation: "timing candidates")
        }
        return try reporting.candidateTable(limit: limit, seconds: Self.candidateSeconds)
    }

    private func profile(
        _ work: TimedWork, with profiler: ProfilingDevice
    ) throws -> BenchmarkResult.Profile {
        let rates = try DeviceRates(measuring: profiler)
        profiler.isRecording = true
        defer { profiler.isRecording = false }
        let seconds = try seconds(on: profiler, work.run)
        return .init(rates: rates, seconds: seconds, operations: try profiler.operations())
    }
}

extension BenchmarkSubject {
    /// Layers of the stage's transformer.
    var layers: Int? {
        switch stage {
        case .text: sizes.textShapes.count { $0.key.hasSuffix("norm1.weight") }
        case .audio: sizes.speech.layers
        case .denoise: sizes.denoiser.layers
        case .encode, .decode: nil
        }
    }
}
