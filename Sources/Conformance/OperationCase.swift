import Compute
import Tensors

// How to add an operation
//   1. Write its declaration, with formula and shapes, on the page of `Device`.
//   2. Write it with straight loops in `ReferenceDevice`, and log it in `RecordingDevice`.
//   3. Add cases for it to a list in `Cases/`: the sizes that models use, odd ones, strided inputs, empty ones.
//   4. Write it for each device. The tests and `check-device` run every case on every device.

/// One call of an operation on seeded random inputs. The same code runs on the device under test and on the
/// reference device.
public struct OperationCase: Sendable {
    /// What a case is run with, and what to compare afterwards.
    public struct Call {
        /// The tensor that `run` writes.
        let output: Tensor
        /// The operation; called once.
        let run: () throws -> Void
    }

    /// How far a result may be from the reference.
    public enum Judgement: Sendable {
        /// By the type of the activations: float32 1e-5, bfloat16 1e-2.
        case byType
        /// The reference rounded to the output's type, bit for bit.
        case exact
        /// This relative error.
        case within(Double)
        /// Elements of 8 bits: each within a step of its type from the reference, of which rounding alone takes a half; and
        /// scales that a device chose within a hundredth.
        case steps
    }

    /// The operation and what is particular, as in `linear/strided`.
    public let name: String
    /// The types of activations with which it is run.
    public let types: [DataType]
    /// Whether a device may say that it does not offer this, as it may of operations on tensors of 8 bits.
    public let isOptional: Bool
    let judgement: Judgement
    let prepare: @Sendable (inout CaseInputs) throws -> Call

    /// A case whose closure makes the inputs and an output full of NaN.
    init(
        _ name: String, _ judgement: Judgement = .byType,
        types: [DataType] = [.float32, .bfloat16], isOptional: Bool = false,
        prepare: @escaping @Sendable (inout CaseInputs) throws -> Call
    ) {
        self.name = name
        self.judgement = judgement
        self.types = types
        self.isOptional = isOptional
        self.prepare = prepare
    }

    /// The error allowed for activations of a type: a relative one, or in steps.
    public func tolerance(_ dataType: DataType) -> Double {
        switch judgement {
        case .byType: dataType == .float32 ? 1e-5 : 1e-2
        case .exact: 0
        case .within(let error): error
        case .steps: 1
        }
    }

    /// Every case.
    public static let all: [OperationCase] =
        linearCases + attentionCases + convolutionCases + normCases + elementwiseCases
        + movementCases + narrowLinearCases + narrowRowCases + narrowAttentionCases
}

/// Makes the tensors of a case: equal numbers on every device, representable in their type.
public struct CaseInputs {
    /// Where the case runs.
    public let device: any Device
    /// The type of activations and weights in this run.
    public let dataType: DataType
    private var generator = SplitMix(state: 42)

    init(device: any Device, dataType: DataType) {
        self.device = device
        self.dataType = dataType
    }

    /// Random numbers of variance `scale`², in the run's type unless said.
    mutating func random(
        _ shape: Shape, _ type: DataType? = nil, scale: Float = 1
    ) throws -> Tensor {
        try tensor(numbers(shape.elementCount, scale), shape, type ?? dataType)
    }

    /// Random float32 numbers of variance `scale`².
    mutating func parameters(_ shape: Shape, scale: Float = 1) throws -> Tensor {
        try random(shape, .float32, scale: scale)
    }

    /// A random weight, loaded from the host as a model does, in the run's type unless said; its rows are made of `parts`
    /// views.
    mutating func weight(
        _ shape: Shape, for use: TensorUse, parts: Int = 1, as type: DataType? = nil
    ) throws -> Tensor {
        let fanIn = shape.dimensions.dropFirst().reduce(1, *)
        let numbers = numbers(shape.elementCount, 1 / Float(max(1, fanIn)).squareRoot())
        let views = (0..<parts).map { part in
            let rows = part * shape[0] / parts..<(part + 1) * shape[0] / parts
            return hostView(
                Array(numbers[rows.lowerBound * fanIn..<rows.upperBound * fanIn]),
                Shape([rows.count] + shape.dimensions.dropFirst()), .float32)
        }
        return try device.load(views, as: type ?? dataType, for: use)
    }

    /// A tensor full of NaN, for an operation to write.
    func output(_ shape: Shape, _ type: DataType? = nil) throws -> Tensor {
        let type = type ?? dataType
        let tensor = try device.allocate(shape, type)
        // All ones are a NaN in every floating-point type.
        let bytes = [UInt8](repeating: type == .uint8 ? 7 : 255, count: tensor.byteCount)
        try bytes.withUnsafeBytes { try device.write($0, to: tensor) }
        return tensor
    }

    /// A tensor with these numbers, rounded to the type.
    func tensor(_ numbers: [Float], _ shape: Shape, _ type: DataType) throws -> Tensor {
        type == .bfloat16
            ? try device.tensor(numbers.map { BFloat16($0) }, shape, type)
            : try device.tensor(numbers, shape)
    }

    /// (cos, sin) of random angles.
    mutating func rotation(_ shape: Shape) throws -> Tensor {
        let cosines = numbers(shape.elementCount / 2, 0.5).map { min(1, max(-1, $0)) }
        return try tensor(cosines.flatMap { [$0, (1 - $0 * $0).squareRoot()] }, shape, .float32)
    }

    /// Uniform numbers of variance `scale`².
    mutating func numbers(_ count: Int, _ scale: Float) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &generator) * 1.7320508 * scale }
    }
}

/// A view of numbers that it keeps on the host.
func hostView<Number: BitwiseCopyable>(
    _ numbers: [Number], _ shape: Shape, _ dataType: DataType
) -> TensorView {
    let host = HostNumbers(numbers)
    return TensorView(
        name: "weight", dataType: dataType, shape: shape,
        bytes: UnsafeRawBufferPointer(host.buffer), owner: host)
}

/// Numbers on the host.
private final class HostNumbers<Number: BitwiseCopyable> {
    let buffer: UnsafeMutableBufferPointer<Number>

    init(_ numbers: [Number]) {
        buffer = .allocate(capacity: numbers.count)
        _ = buffer.initialize(from: numbers)
    }

    deinit { buffer.deallocate() }
}

/// A small generator whose numbers are the same everywhere.
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
