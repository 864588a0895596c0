import ArgumentParser
import Compute
import ComputeCPU
import Tensors

/// Which processor computes.
public struct DeviceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("What computes: cpu.", valueName: "device"))
    public var device: DeviceName = .cpu

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The most memory to hold beside mapped files, as in 22.15GiB.", valueName: "bytes"))
    public var memoryLimit: ByteCount?

    public init() {}

    /// The device, keeping activations and weights in `dataType`.
    ///
    /// Throws `UnsupportedOperation` if the device cannot compute in that type.
    public func open(activationType dataType: DataType = .float32) throws -> any Device {
        switch device {
        case .cpu:
            try CPUDevice(activationType: dataType, memoryLimit: memoryLimit?.bytes)
        }
    }
}

/// A device as it is named on the command line.
public enum DeviceName: Hashable, Sendable, ExpressibleByArgument {
    /// The processor, on every core.
    case cpu

    public init?(argument: String) {
        guard argument == "cpu" else { return nil }
        self = .cpu
    }

    public var defaultValueDescription: String { "cpu" }
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
