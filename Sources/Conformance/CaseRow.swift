import Compute
import Tensors

/// What running a case on a device gave.
public struct CaseRow: Sendable {
    /// The case's name and the type of its activations.
    public let name: String
    public let dataType: DataType
    /// ‖out - reference‖ / ‖reference‖, or of a model in float32 the largest difference, or of an output of 8 bits the
    /// largest difference in steps of its type; infinite if something is not a number.
    public let error: Double
    /// The error allowed.
    public let tolerance: Double
    /// Time of the second call, in milliseconds; of a model, with its loading.
    public let milliseconds: Double
    /// Whether two calls gave the same bits.
    public let isDeterministic: Bool
    /// Why the device did not do it, if it did not.
    public let problem: String?
    /// Whether the device offers it. Only optional cases may be not offered.
    public let isOffered: Bool

    /// What calls gave.
    init(
        name: String, dataType: DataType, error: Double, tolerance: Double, milliseconds: Double,
        isDeterministic: Bool
    ) {
        self.name = name
        self.dataType = dataType
        self.error = error
        self.tolerance = tolerance
        self.milliseconds = milliseconds
        self.isDeterministic = isDeterministic
        problem = nil
        isOffered = true
    }

    /// A case that threw.
    init(name: String, dataType: DataType, problem: any Error, isOptional: Bool) {
        self.name = name
        self.dataType = dataType
        error = .infinity
        tolerance = 0
        milliseconds = 0
        isDeterministic = true
        self.problem = String(describing: problem)
        isOffered = !(isOptional && problem is UnsupportedOperation)
    }

    /// Whether the device does what it should.
    public var isPassed: Bool { error <= tolerance && isDeterministic }
    /// Whether the device does something else, or nothing where it must.
    public var isFailed: Bool { isOffered && !isPassed }

    /// The row that `run` gives, or one that says why it threw; an optional case may be not offered.
    package init(
        _ name: String, _ dataType: DataType, isOptional: Bool = false, run: () throws -> CaseRow
    ) {
        do {
            self = try run()
        } catch {
            self.init(name: name, dataType: dataType, problem: error, isOptional: isOptional)
        }
    }
}
