import ArgumentParser
import Compute
import ComputeCPU
import ComputeCUDA
import Tensors

/// Which processor computes.
public struct DeviceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("What computes: cpu, cuda or cuda:N.", valueName: "device"))
    public var device: DeviceName = .cpu

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The most memory to hold beside mapped files, as in 22.15GiB.", valueName: "bytes"))
    public var memoryLimit: ByteCount?

    public init() {}

    /// The type of weights and activations: the one that was asked for, or else bfloat16 on a card and
    /// float32 on the processor.
    public func precision(_ chosen: FloatType?) -> FloatType {
        switch (chosen, device) {
        case (let chosen?, _): chosen
        case (nil, .cpu): .float32
        case (nil, .cuda): .bfloat16
        }
    }

    /// The device, keeping weights and activations in the type that was chosen, or in its own.
    ///
    /// Throws, in one line, what is missing on this machine, or `UnsupportedOperation` if the device
    /// cannot compute in that type.
    public func open(_ precision: FloatType?) throws -> any Device {
        try open(activations: self.precision(precision).dataType, matrices: nil)
    }

    func open(activations: DataType, matrices: DataType?) throws -> any Device {
        let limit = memoryLimit?.bytes
        return switch device {
        case .cpu:
            try CPUDevice(
                activationType: activations, matrixType: matrices, memoryLimit: limit)
        case .cuda(let ordinal):
            try CUDADevice(
                ordinal: ordinal, activationType: activations, matrixType: matrices,
                memoryLimit: limit)
        }
    }
}

/// A device as it is named on the command line.
public enum DeviceName: Hashable, Sendable, ExpressibleByArgument {
    /// The processor, on every core.
    case cpu
    /// An NVIDIA card, counted from 0.
    case cuda(Int)

    public init?(argument: String) {
        switch argument {
        case "cpu": self = .cpu
        case "cuda": self = .cuda(0)
        default:
            let prefix = "cuda:"
            guard argument.hasPrefix(prefix),
                let ordinal = Int(argument.dropFirst(prefix.count)), (0..<1 << 16).contains(ordinal)
            else { return nil }
            self = .cuda(ordinal)
        }
    }

    public var defaultValueDescription: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let ordinal): "cuda:\(ordinal)"
        }
    }
}

/// A number of bytes as people write it: `22.15GiB`, `512MiB`, `8G`, `1000000`.
public struct ByteCount: Hashable, Sendable, ExpressibleByArgument {
    /// The number.
    public let bytes: Int

    /// Reads a number with an optional unit: K, M, G, T of 1024, with or without `iB`; KB, MB, GB, TB of 1000.
    public init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits),
            let factor = Self.factor(of: argument.dropFirst(digits.count).uppercased())
        else { return nil }
        let bytes = number * factor
        guard bytes >= 1, bytes < Double(Int.max) else { return nil }
        self.bytes = Int(bytes)
    }

    private static func factor(of unit: String) -> Double? {
        if unit.isEmpty || unit == "B" { return 1 }
        guard let letter = unit.first, let place = "KMGT".firstIndex(of: letter) else {
            return nil
        }
        let power = "KMGT".distance(from: "KMGT".startIndex, to: place) + 1
        let base: Double? =
            switch unit.dropFirst() {
            case "", "IB": 1024
            case "B": 1000
            default: nil
            }
        guard let base else { return nil }
        return (0..<power).reduce(1) { product, _ in product * base }
    }
}
