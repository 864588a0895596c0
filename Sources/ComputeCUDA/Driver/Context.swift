import CNVIDIA
import Compute
import Glibc

/// The primary context of one card, shared with the libraries that work in the same process.
final class Context {
    /// The driver.
    let driver: DriverAPI
    /// The card's number in this process.
    let ordinal: Int
    /// The card as NVIDIA names it.
    let cardName: String
    /// The architecture whose paths are taken: the card's own, unless it stands in for an older one.
    let choice: ArchitectureChoice
    /// Streaming multiprocessors.
    let multiprocessors: Int

    /// Bytes of the card that the context held before anything was loaded into it, as far as that can be told.
    let overheadBytes: Int

    private let meter: CardMeter?
    private let device: CUdevice
    private let handle: CUcontext

    /// The oldest architecture that kernels are written for: the first with bfloat16.
    static let oldestArchitecture = 80

    /// The context of a card; throws `UnusableCard` if there is none of that number or it is too old.
    init(ordinal: Int, driver: DriverAPI) throws {
        self.driver = driver
        self.ordinal = ordinal
        var count: Int32 = 0
        try driver.check(driver.deviceGetCount(&count), "cuDeviceGetCount")
        guard (0..<Int(count)).contains(ordinal) else {
            throw UnusableCard(
                ordinal: ordinal,
                reason: count == 0 ? "there is no card" : "there are \(count) cards, counted from 0"
            )
        }
        var device: CUdevice = 0
        try driver.check(driver.deviceGet(&device, Int32(ordinal)), "cuDeviceGet")
        self.device = device
        cardName = try Self.name(of: device, driver)
        func attribute(_ number: Int) throws -> Int {
            var value: Int32 = 0
            try driver.check(
                driver.deviceGetAttribute(&value, Int32(number), device), "cuDeviceGetAttribute")
            return Int(value)
        }
        multiprocessors = try attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
        let architecture =
            try 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        guard architecture >= Self.oldestArchitecture else {
            let found = "\(architecture / 10).\(architecture % 10)"
            throw UnusableCard(
                ordinal: ordinal,
                reason: "'\(cardName)' has compute capability \(found), and 8.0 is needed")
        }
        do {
            choice = try ArchitectureChoice(
                own: architecture, oldest: Self.oldestArchitecture,
                asked: getenv(ArchitectureChoice.variable).map { String(cString: $0) })
        } catch {
            throw UnusableCard(ordinal: ordinal, reason: error.reason)
        }
        guard try attribute(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED) != 0 else {
            throw UnusableCard(ordinal: ordinal, reason: "its driver offers no memory pools")
        }
        meter = CardMeter(place: try Self.place(of: device, driver))
        var handle: CUcontext?
        try driver.check(
            driver.primaryContextRetain(&handle, device), "cuDevicePrimaryCtxRetain")
        self.handle = handle!
        overheadBytes = meter?.processBytes ?? CardOverhead.usualContextBytes
        try activate()
    }

    deinit { _ = driver.primaryContextRelease(device) }

    /// The compute capability as in `sm_90`: ten times the major number plus the minor.
    var architecture: Int { choice.architecture }

    /// Makes the context that of the calling thread; cheap where it is already.
    func activate() throws {
        try driver.check(driver.contextSetCurrent(handle), "cuCtxSetCurrent")
    }

    /// Bytes of the card that nobody holds, and all it has.
    func memory() throws -> (free: Int, total: Int) {
        var (free, total) = (0, 0)
        try driver.check(driver.memoryGetInfo(&free, &total), "cuMemGetInfo")
        return (free, total)
    }

    /// Bytes of the card that this process holds, as NVIDIA's management library counts them; nil without it.
    var processBytes: Int? { meter?.processBytes }

    /// The card's place on the bus.
    private static func place(of device: CUdevice, _ driver: DriverAPI) throws -> String {
        var bytes = [CChar](repeating: 0, count: 32)
        try driver.check(
            driver.deviceGetBusPlace(&bytes, Int32(bytes.count), device), "cuDeviceGetPCIBusId")
        return bytes.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    private static func name(of device: CUdevice, _ driver: DriverAPI) throws -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        try driver.check(
            driver.deviceGetName(&bytes, Int32(bytes.count), device), "cuDeviceGetName")
        return bytes.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}

/// A card that is not there, or that cannot do what is needed.
public struct UnusableCard: Error, CustomStringConvertible {
    /// The card's number.
    public let ordinal: Int
    /// Why it cannot be used.
    public let reason: String

    public var description: String { "cannot use 'cuda:\(ordinal)': \(reason)" }
}
