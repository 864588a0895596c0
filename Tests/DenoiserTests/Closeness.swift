import Foundation
import Testing

/// Expects an error to be within a tolerance. With SHOW_ERRORS in the environment it is printed,
/// for the comments that say what was observed.
func expect(
    _ error: Float, within tolerance: Float, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    if ProcessInfo.processInfo.environment["SHOW_ERRORS"] != nil {
        print("observed \(error) within \(tolerance): \(what)")
    }
    #expect(error <= tolerance, "\(what): \(error)", sourceLocation: sourceLocation)
}
