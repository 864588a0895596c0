import Compute
import Tensors

/// Runs the cases whose name contains `filter` on a device, for each of these types of activations that is theirs, and
/// judges them by float64. A case that throws is a row that says why. `hear` is told each row at once.
///
/// Throws what `hear` throws.
public func runCases(
    on device: any Device, types: [DataType], filter: String = "",
    hear: (CaseRow) throws -> Void = { _ in }
) throws -> [CaseRow] {
    try OperationCase.all.filter { filter.isEmpty || $0.name.contains(filter) }
        .flatMap { operation in
            try types.filter(operation.types.contains).map { type in
                let row = CaseRow(operation.name, type, isOptional: operation.isOptional) {
                    try run(operation, on: device, type)
                }
                try hear(row)
                return row
            }
        }
}

/// Runs a case on a device twice and on the reference once.
public func run(
    _ operation: OperationCase, on device: any Device, _ dataType: DataType
) throws -> CaseRow {
    let reference = ReferenceDevice(activationType: dataType)
    let expected = try call(operation, on: reference, dataType).output
    let first = try call(operation, on: device, dataType)
    let second = try call(operation, on: device, dataType)
    return CaseRow(
        name: operation.name, dataType: dataType,
        error: operation.error(of: first.result, from: expected, by: reference),
        tolerance: operation.tolerance(dataType), milliseconds: second.milliseconds,
        isDeterministic: first.result == second.result)
}

/// Prepares and calls a case; the output, what is in it, and the call's time.
private func call(
    _ operation: OperationCase, on device: any Device, _ dataType: DataType
) throws -> (output: Tensor, result: CaseResult, milliseconds: Double) {
    var inputs = CaseInputs(device: device, dataType: dataType)
    let call = try operation.prepare(&inputs)
    try device.synchronize()
    let time = try ContinuousClock().measure {
        try call.run()
        try device.synchronize()
    }
    let result = device is ReferenceDevice ? CaseResult() : try CaseResult(call.output, on: device)
    return (call.output, result, time / .milliseconds(1))
}

/// What a device wrote, in row-major order.
private struct CaseResult: Equatable {
    /// The elements' bytes.
    private var bytes: [UInt8] = []
    /// The elements, or the numbers of 8 bits.
    var numbers: [Double] = []
    /// float32 scales of a tensor of 8 bits.
    var scales: [Double] = []

    /// Nothing.
    init() {}

    /// Waits for a tensor and reads it.
    init(_ output: Tensor, on device: any Device) throws {
        (bytes, numbers) = try Self.read(output.numbers, on: device)
        scales = try output.scales.map { try Self.read($0, on: device).numbers } ?? []
    }

    private static func read(
        _ tensor: Tensor, on device: any Device
    ) throws -> (bytes: [UInt8], numbers: [Double]) {
        var whole = tensor
        if !whole.isContiguous {
            whole = try device.allocate(tensor.shape, tensor.dataType)
            try device.copy(tensor, into: whole)
        }
        var bytes = [UInt8](repeating: 0, count: whole.byteCount)
        try bytes.withUnsafeMutableBytes { try device.read(whole, into: $0) }
        let numbers = bytes.withUnsafeBytes {
            TensorView(
                name: "", dataType: whole.dataType, shape: whole.shape, bytes: $0,
                owner: whole.storage
            ).doubles()
        }
        return (bytes, numbers)
    }

    /// Numbers times scales.
    var values: [Double] {
        guard !scales.isEmpty else { return numbers }
        return numbers.indices.map { numbers[$0] * scales[$0 * scales.count / numbers.count] }
    }

    /// Bytes are compared, as NaN is not equal to itself.
    static func == (a: CaseResult, b: CaseResult) -> Bool {
        a.bytes == b.bytes && a.scales.map(\.bitPattern) == b.scales.map(\.bitPattern)
    }
}

// MARK: - Judging

extension OperationCase {
    /// How far a result is from what the reference stored in `expected`.
    fileprivate func error(
        of result: CaseResult, from expected: Tensor, by reference: ReferenceDevice
    ) -> Double {
        var wanted = reference.values(expected)
        switch judgement {
        case .exact:
            wanted = wanted.map { rounded($0, to: expected.dataType) }
        case .steps:
            return steps(from: expected, by: reference, to: result)
        case .byType, .within: break
        }
        return relativeError(of: result.values, from: wanted)
    }

    /// The largest distance from an expected element in steps of its type; infinite if the scale of a row that is not
    /// zero is off by more than a hundredth.
    private func steps(
        from expected: Tensor, by reference: ReferenceDevice, to result: CaseResult
    ) -> Double {
        guard let scales = reference.scales(of: expected), !scales.isEmpty else { return 0 }
        let (values, wanted) = (result.values, reference.values(expected))
        var largest = 0.0
        for index in wanted.indices {
            let step = expected.dataType.step(at: wanted[index] / scales[index]) * scales[index]
            let distance = abs(values[index] - wanted[index]) / step
            largest = distance.isNaN ? .infinity : max(largest, distance)
            let chosen = result.scales[index * result.scales.count / wanted.count]
            let isOff = abs(chosen / scales[index] - 1) > 1e-2 && wanted[index] != 0
            if isOff || chosen.isNaN { return .infinity }
        }
        return largest
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
