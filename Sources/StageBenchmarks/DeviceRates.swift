import Compute
import Tensors

/// How fast a device is at best: what one large product and one large copy reach.
public struct DeviceRates: Codable, Hashable, Sendable {
    /// Multiplications and additions a second of a product in the activation type.
    public let flopsPerSecond: Double
    /// Bytes read and written a second by a copy.
    public let bytesPerSecond: Double

    /// Times both on a device, at sizes that take it long enough. Throws what the device throws.
    public init(measuring device: any Device) throws {
        flopsPerSecond = try Self.productRate(device)
        bytesPerSecond = try Self.copyRate(device)
    }

    private static let longEnough = 5e-3
    private static let largestSide = 8192
    private static let largestCopy = 1 << 30

    private static func productRate(_ device: any Device) throws -> Double {
        let type = device.activationType
        var side = 512
        while true {
            let pages = try RandomPages(type, middle: 0, spread: 1 / Float(side), seed: 99)
            let mapping = try pages.mapping(byteCount: side * side * type.size)
            let view = TensorView(
                name: "product", dataType: type, shape: [side, side], bytes: mapping.bytes,
                owner: mapping)
            let weight = try device.load([view], as: type, for: .linear)
            let x = try device.load([view], as: type, for: .elements)
            let y = try device.allocate([side, side], type)
            let seconds = try best(on: device) {
                try device.linear(
                    x, weight: weight, bias: nil, activation: .identity, accumulating: false,
                    into: y)
            }
            if seconds >= longEnough || side == largestSide {
                return 2 * Double(side) * Double(side) * Double(side) / seconds
            }
            side *= 2
        }
    }

    private static func copyRate(_ device: any Device) throws -> Double {
        var bytes = 1 << 24
        while true {
            let shape: Shape = [bytes / 4096, 4096 / device.activationType.size]
            let x = try device.zeros(shape, device.activationType)
            let y = try device.zeros(shape, device.activationType)
            let seconds = try best(on: device) { try device.copy(x, into: y) }
            if seconds >= longEnough || bytes == largestCopy { return 2 * Double(bytes) / seconds }
            bytes *= 2
        }
    }

    /// The shortest of several times.
    private static func best(on device: any Device, _ body: () throws -> Void) throws -> Double {
        try body()
        return try (0..<5).map { _ in try seconds(on: device, body) }.min() ?? .infinity
    }
}

/// How long it takes until a device is done with what `body` asks of it.
func seconds(on device: any Device, _ body: () throws -> Void) throws -> Double {
    try device.synchronize()
    let start = ContinuousClock.now
    try body()
    try device.synchronize()
    return (ContinuousClock.now - start) / .seconds(1)
}
