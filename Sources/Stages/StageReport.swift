import Compute

/// What a stage tells whoever started it, while it works.
public enum StageReport: Sendable {
    /// Something that the user may want to change.
    case warning(String)
    /// Something that a person who looks for a reason wants to know.
    case detail(String)
    /// How far the stage is, in words.
    case progress(String)
    /// What nobody makes yet and the stage waits for, in words.
    case waiting(String)
    /// The weights are on the device.
    case loaded(seconds: Double)
    /// A block is done: its number, the seconds it took, the bytes it has on disk.
    case block(Int, seconds: Double, bytes: Int)
    /// A block was replayed to fill the windows after a restart.
    case replayed(Int, seconds: Double)
    /// The last block on disk was made again after a restart, and is the same.
    case verified(Int, seconds: Double)
}

/// Hears a stage's reports; stops the stage by throwing.
public typealias StageListener = (StageReport) throws -> Void

/// Has weights loaded by `load`, reports how far it is, and at the end how long it took.
func loadWeights(
    on device: any Device, _ listener: @escaping StageListener, by load: (Monitor) throws -> Void
) throws {
    let (_, seconds) = try timed {
        try load { try listener(.progress("loading weights, \($0.completed) of \($0.total)")) }
        try device.synchronize()
    }
    try listener(.loaded(seconds: seconds))
}

/// Runs `body` and says how many seconds it took.
func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, seconds: Double) {
    let start = ContinuousClock.now
    let result = try body()
    let duration = (ContinuousClock.now - start).components
    return (result, Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
}
