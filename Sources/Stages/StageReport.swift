/// What a stage tells whoever started it, while it works.
public enum StageReport: Sendable {
    /// Something that the user may want to change.
    case warning(String)
    /// How far the stage is, in words.
    case progress(String)
    /// A block is done: its number, the seconds it took, the bytes it has on disk.
    case block(Int, seconds: Double, bytes: Int)
    /// A block was replayed to fill the windows after a restart.
    case replayed(Int, seconds: Double)
    /// The last block on disk was made again after a restart, and is the same.
    case verified(Int, seconds: Double)
}

/// Hears a stage's reports; stops the stage by throwing.
public typealias StageListener = (StageReport) throws -> Void

/// Runs `body` and says how many seconds it took.
func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, seconds: Double) {
    let start = ContinuousClock.now
    let result = try body()
    let duration = (ContinuousClock.now - start).components
    return (result, Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
}
