import Compute
import Tensors

// How to add a golden
//   1. Describe its tensors in `goldens/README.md`, and the tolerance.
//   2. Add a case to the list of its model in this folder. The tests and `check-device` run every case on every device.

/// What a model computes, beside what the released code computes of the same weights and inputs.
public struct GoldenCase: Sendable, CustomStringConvertible {
    /// What was computed, and what it should be.
    public struct Comparison {
        var values: [Float] = []
        var expected: [Float] = []

        /// Adds numbers that should be equal.
        mutating func add(_ values: [Float], _ expected: [Float]) {
            self.values += values
            // Numbers that are too few or too many are no agreement.
            self.expected += values.count == expected.count ? expected : values.map { _ in .nan }
        }
    }

    /// The model and what is particular, as in `denoiser/three clips`.
    public let name: String
    /// The largest difference allowed on the CPU where all is float32.
    public let tolerance: Float
    let compute: @Sendable (GoldenFolder, any Device) throws -> Comparison

    /// A case that loads its model, runs it and compares.
    init(
        _ name: String, within tolerance: Float,
        compute: @escaping @Sendable (GoldenFolder, any Device) throws -> Comparison
    ) {
        self.name = name
        self.tolerance = tolerance
        self.compute = compute
    }

    public var description: String { name }

    /// Every case that any device can compute.
    public static let all: [GoldenCase] = text + audio + video + denoiser

    /// Every case that a device can compute, of those in which something is of 8 bits if anything
    /// is to be.
    static func all(_ folder: GoldenFolder, on device: any Device) -> [GoldenCase] {
        let cases =
            folder.windowType != nil ? denoiser : device.matrixType.isNarrow ? text + denoiser : all
        return cases + ((try? device.linked()) == nil ? [] : streaming)
    }
}

extension GoldenCase {
    /// What bfloat16 may cost, relative to the length of all numbers.
    private static let bfloat16Tolerance = 2e-2
    /// What matrices of 8 bits may cost, relative to the length of all numbers. Observed on the
    /// CPU: int8 at most 7.0e-3 for the denoiser and 1.9e-2 for the text encoder, float8_e4m3
    /// 2.6e-2, on an H200 2.7e-2, and 8.4e-2.
    private func narrowTolerance(_ matrixType: DataType) -> Double {
        guard matrixType != .int8 else { return 2.5e-2 }
        return name.hasPrefix("text/") ? 1e-1 : 4e-2
    }
    /// What windows of float8_e4m3 may cost on top. Observed on the CPU, matrices included: at most
    /// 6.9e-3 with float32, 9.5e-3 with int8; on an H200 9.2e-3 with bfloat16, which rounds the softmax, too.
    private static let narrowWindowTolerance = 2e-2
    /// How much more than on the CPU is allowed on a card, whose sums have another order.
    private static let cardFactor = 3.0

    /// ‖values - expected‖ / ‖expected‖ on a device. Throws as `row`.
    package func relativeError(
        _ folder: GoldenFolder, on device: any Device
    ) throws -> Double {
        try compute(folder, device).relativeError
    }

    /// Runs the case twice on a device, in the type of its activations. Throws what cannot be read, and what the
    /// device throws.
    public func row(_ folder: GoldenFolder, on device: any Device) throws -> CaseRow {
        let first = try compute(folder, device)
        var second = Comparison()
        let time = try ContinuousClock().measure { second = try compute(folder, device) }
        let isFloat = device.activationType == .float32 && !isNarrow(folder, on: device)
        let bits = { (comparison: Comparison) in comparison.values.map(\.bitPattern) }
        return CaseRow(
            name: label(folder, on: device), dataType: device.activationType,
            error: isFloat ? first.largestDifference : first.relativeError,
            tolerance: isFloat
                ? Double(tolerance) * (device.name == "cpu" ? 1 : Self.cardFactor)
                : narrowTolerance(folder, on: device),
            milliseconds: time / .milliseconds(1),
            isDeterministic: bits(first) == bits(second))
    }

    /// What may be lost, relative to the length of all numbers.
    private func narrowTolerance(_ folder: GoldenFolder, on device: any Device) -> Double {
        let matrices =
            device.matrixType.isNarrow
            ? narrowTolerance(device.matrixType) : Self.bfloat16Tolerance
        return folder.windowType == nil ? matrices : matrices + Self.narrowWindowTolerance
    }

    /// Whether matrices or windows are of 8 bits.
    func isNarrow(_ folder: GoldenFolder, on device: any Device) -> Bool {
        device.matrixType.isNarrow || folder.windowType != nil
    }

    /// The name, and what is of 8 bits.
    func label(_ folder: GoldenFolder, on device: any Device) -> String {
        name + (device.matrixType.isNarrow ? ", \(device.matrixType) matrices" : "")
            + (folder.windowType.map { ", \($0) windows" } ?? "")
    }
}

extension GoldenCase.Comparison {
    /// The largest absolute difference; infinite if something is not a number.
    fileprivate var largestDifference: Double {
        zip(values, expected).reduce(0) { largest, pair in
            let difference = abs(Double(pair.0) - Double(pair.1))
            return difference.isNaN ? .infinity : max(largest, difference)
        }
    }

    /// ‖values - expected‖ / ‖expected‖.
    fileprivate var relativeError: Double {
        Conformance.relativeError(of: values.map(Double.init), from: expected.map(Double.init))
    }
}

/// Runs the goldens whose name contains `filter` on a device. A case that throws is a row that says
/// why; with 8 bits it may be not offered. `hear` is told each row at once.
///
/// Throws what `hear` throws.
public func runGoldens(
    _ folder: GoldenFolder, on device: any Device, filter: String = "",
    hear: (CaseRow) throws -> Void = { _ in }
) throws -> [CaseRow] {
    try GoldenCase.all(folder, on: device).filter {
        filter.isEmpty || $0.name.contains(filter)
    }.map { golden in
        let row = CaseRow(
            golden.label(folder, on: device), device.activationType,
            isOptional: golden.isNarrow(folder, on: device)
        ) { try golden.row(folder, on: device) }
        try hear(row)
        return row
    }
}
