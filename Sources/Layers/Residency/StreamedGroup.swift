import Compute
import Tensors

/// Tensors that live in the host's memory and are on the device only when they are used.
public final class StreamedGroup {
    /// Where the tensors lie.
    public let bundle: TensorBundle
    /// Bytes, in order, that the next use is expected to write before it reads them, so that they need not travel.
    public var overwritten: [Range<Int>] = []

    let host: any HostBuffer
    /// Passes when what was stored last is there; nil if nothing is under way that a fetch must wait for.
    var stored: (any Mark)?

    /// Memory for a bundle, its elements undefined.
    public init(_ bundle: TensorBundle, on device: any LinkedDevice) throws {
        self.bundle = bundle
        host = try device.allocateOnHost(bundle.byteCount)
    }

    /// Sets every byte to zero, before the first use.
    public func clear() {
        host.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Waits for tensors on the device and takes their elements, before the first use.
    public func read(_ tensors: [Tensor], on device: any Device) throws {
        try bundle.read(tensors, into: host.bytes, on: device)
    }
}

/// Bytes that copies moved between host and device.
public struct LinkTraffic: Hashable, Sendable {
    /// Bytes from the host to the device.
    public var fetched = 0
    /// Bytes from the device to the host.
    public var stored = 0

    /// None, unless said.
    public init(fetched: Int = 0, stored: Int = 0) {
        self.fetched = fetched
        self.stored = stored
    }
}
