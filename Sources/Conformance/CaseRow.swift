import Compute
import Tensors

/// What running a case on a device gave.
public struct CaseRow: Sendable {
    /// The case's name and the type of its activations.
    public let name: String
    public let dataType: DataType
    /// ‖out - reference‖ / ‖reference‖, or of a model in float32 the largest difference; infinite if something is not
    /// a number.
    public let error: Double
    /// The error allowed.
    public let tolerance: Double
    /// Time of the second call, in milliseconds; of a model, with its loading.
    public let milliseconds: Double
    /// Whether two calls gave the same bits.
    public let isDeterministic: Bool
    /// Why the device did not do it, if it did not.
    public let problem: String?

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
    }

    /// A case that threw.
    init(name: String, dataType: DataType, problem: any Error) {
        self.name = name
        self.dataType = dataType
        error = .infinity
        tolerance = 0
        milliseconds = 0
        isDeterministic = true
        self.problem = String(describing: problem)
    }

    /// Whether the device does what it should.
    public var isPassed: Bool { error <= tolerance && isDeterministic }
}

/// Runs the cases whose name contains `filter` on a device, for each type of activations, and judges them by float64.
/// A case that throws is a row that says why. `hear` is told each row at once.
///
/// Throws what `hear` throws.
public func runCases(
    on device: any Device, types: [DataType], filter: String = "",
    hear: (CaseRow) throws -> Void = { _ in }
) throws -> [CaseRow] {
    try OperationCase.all.filter { filter.isEmpty || $0.name.contains(filter) }
        .flatMap { operation in
            try types.map { type in
                let row = CaseRow(operation.name, type) {
                    try run(operation, on: device, type)
                }
                try hear(row)
                return row
            }
        }
}

extension CaseRow {
    /// The row that `run` gives, or one that says why it threw.
    init(_ name: String, _ dataType: DataType, run: () throws -> CaseRow) {
        do {
            self = try run()
        } catch {
            self.init(name: name, dataType: dataType, problem: error)
        }
    }
}

/// Runs a case on a device twice and on the reference once.
public func run(
    _ operation: OperationCase, on device: any Device, _ dataType: DataType
) throws -> CaseRow {
    let reference = ReferenceDevice(activationType: dataType)
    let (expected, _, _) = try call(operation, on: reference, dataType)
    let (first, firstBytes, _) = try call(operation, on: device, dataType)
    let (_, secondBytes, milliseconds) = try call(operation, on: device, dataType)
    var wanted = reference.values(expected)
    if case .exact = operation.judgement {
        wanted = wanted.map { rounded($0, to: expected.dataType) }
    }
    return CaseRow(
        name: operation.name, dataType: dataType,
        error: relativeError(of: numbers(firstBytes, like: first), from: wanted),
        tolerance: operation.tolerance(dataType), milliseconds: milliseconds,
        isDeterministic: firstBytes == secondBytes)
}

/// Prepares and calls a case; the output, its bytes in row-major order, and the call's time.
private func call(
    _ operation: OperationCase, on device: any Device, _ dataType: DataType
) throws -> (output: Tensor, bytes: [UInt8], milliseconds: Double) {
    var inputs = CaseInputs(device: device, dataType: dataType)
    let call = try operation.prepare(&inputs)
    try device.synchronize()
    let time = try ContinuousClock().measure {
        try call.run()
        try device.synchronize()
    }
    var whole = call.output
    if !whole.isContiguous {
        whole = try device.allocate(call.output.shape, call.output.dataType)
        try device.copy(call.output, into: whole)
    }
    var bytes = [UInt8](repeating: 0, count: whole.byteCount)
    if !(device is ReferenceDevice) {
        try bytes.withUnsafeMutableBytes { try device.read(whole, into: $0) }
    }
    return (call.output, bytes, time / .milliseconds(1))
}

/// The elements that bytes hold.
private func numbers(_ bytes: [UInt8], like tensor: Tensor) -> [Double] {
    bytes.withUnsafeBytes {
        TensorView(
            name: "", dataType: tensor.dataType, shape: tensor.shape, bytes: $0,
            owner: tensor.storage
        ).doubles()
    }
}

/// ‖out - reference‖ / ‖reference‖, or ‖out‖ where the reference is zero; infinite if something is not a number.
func relativeError(of out: [Double], from reference: [Double]) -> Double {
    precondition(out.count == reference.count)
    var (difference, length) = (0.0, 0.0)
    for (a, b) in zip(out, reference) {
        difference += (a - b) * (a - b)
        length += b * b
    }
    guard difference.isFinite else { return .infinity }
    return (length == 0 ? difference : difference / length).squareRoot()
}
