/// A device that works on while its host goes on, and can tell afterwards how long something took.
///
/// Marks are put into the device's queue of work, which goes on undisturbed.
public protocol OperationTiming {
    /// Puts a mark in front of an operation that is about to be asked for. A device without work waits a little, so that the host's
    /// way of asking does not count as time of the operation.
    func markStart() throws -> Int
    /// Puts a mark behind all that was asked for so far.
    func markEnd() throws -> Int
    /// Seconds from one mark to another, once both have passed.
    func seconds(from start: Int, to end: Int) throws -> Double
    /// Forgets all marks.
    func removeMarks()
}
