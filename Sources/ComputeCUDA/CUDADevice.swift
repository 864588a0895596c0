import CNVIDIA
import Compute
import Tensors

/// The operations on an NVIDIA card: products by cuBLASLt, convolutions and attention by cuDNN, the rest, and on
/// Hopper attention with many keys, by kernels of this room.
///
/// Operations are put into one stream and return before they are done; memory goes back to the pool in the
/// stream's order. What the card or its libraries do not offer throws, and nothing is computed elsewhere.
public final class CUDADevice: Device {
    public let name: String
    public let activationType: DataType
    public let matrixType: DataType

    let driver: DriverAPI
    let context: Context
    let stream: Stream
    let pool: DevicePool
    let kernels: KernelLibrary
    let libraries = Libraries()
    private(set) var openLink: Result<Link, any Error>?
    let tuning: KernelTuning
    /// What the card and its libraries do.
    public let abilities: CardAbilities
    private var uploader: Uploader?
    private var used: Set<String> = []

    private(set) lazy var clock = StreamClock(context, stream: stream)

    /// Kernels put into the stream so far, those of libraries not among them.
    public private(set) var launchCount = 0
    /// Calls of libraries that put work into the stream so far.
    public private(set) var libraryCallCount = 0

    /// The card of that number, of which this process holds at most `memoryLimit` bytes, context and libraries
    /// included. Models keep large matrices in `matrixType`: that of activations unless said, or float8_e4m3 or int8.
    ///
    /// Throws `MissingLibrary`, `MissingSymbol`, `UnusableCard`, `CUDAError`, or `UnsupportedOperation` if activations or matrices
    /// cannot be of that type.
    public convenience init(
        ordinal: Int = 0, activationType: DataType = .bfloat16, matrixType: DataType? = nil,
        memoryLimit: Int? = nil
    ) throws {
        try self.init(
            ordinal: ordinal, activationType: activationType, matrixType: matrixType,
            memoryLimit: memoryLimit, tuning: KernelTuning())
    }

    /// The same with kernels made differently.
    package init(
        ordinal: Int, activationType: DataType, matrixType: DataType? = nil, memoryLimit: Int?,
        tuning: KernelTuning
    ) throws {
        name = "cuda:\(ordinal)"
        guard activationType == .bfloat16 || activationType == .float32 else {
            throw UnsupportedOperation(device: name, operation: "\(activationType) activations")
        }
        let matrixType = matrixType ?? activationType
        guard matrixType == activationType || matrixType.isNarrow else {
            throw UnsupportedOperation(device: name, operation: "\(matrixType) matrices")
        }
        self.activationType = activationType
        self.matrixType = matrixType
        self.tuning = tuning
        driver = try DriverAPI()
        context = try Context(ordinal: ordinal, driver: driver)
        stream = try Stream(context)
        pool = try DevicePool(context, stream: stream, limit: memoryLimit)
        kernels = KernelLibrary(context, tuning: tuning)
        abilities = Libraries.abilities(architecture: context.architecture)
        guard matrixType != .float8E4M3 || abilities.multipliesFloat8 else {
            throw UnsupportedOperation(
                device: name,
                operation: "float8_e4m3 matrices on '\(context.cardName)'; int8 it does")
        }
    }

    /// The card as NVIDIA names it.
    public var cardName: String { context.cardName }
    /// Bytes that live tensors and work spaces hold now.
    public var allocatedBytes: Int { pool.used }
    /// The most bytes that they held at once.
    public var peakBytes: Int { pool.peak }
    /// What computed so far: kernels of this room and libraries, in alphabetical order.
    public var kernelsUsed: [String] { used.sorted() }

    /// Notes that a library computed.
    func noteLibraryCall(_ name: String) {
        libraryCallCount += 1
        used.insert(name)
    }

    /// An error that says what is not offered.
    func unsupported(_ operation: String) -> UnsupportedOperation {
        UnsupportedOperation(device: name, operation: operation)
    }

    /// Memory of the pool, as for work spaces.
    func allocateBytes(_ count: Int) throws -> DeviceMemory {
        try context.activate()
        return try pool.allocate(count)
    }

    /// The queues of copies, made when first needed.
    func link() throws -> Link {
        let link = openLink ?? Result { try Link(context) }
        openLink = link
        return try link.get()
    }

    /// What brings weights to the card, made when first needed.
    func weightUploader() throws -> Uploader {
        if let uploader { return uploader }
        let uploader = try Uploader(context)
        self.uploader = uploader
        return uploader
    }
}

// MARK: - Kernels

/// A parameter of a kernel.
enum KernelArgument {
    /// An address on the card; 0 for none.
    case address(UInt64)
    /// A `long long`.
    case int(Int)
    /// A `float`.
    case float(Float)
    /// A structure.
    case bytes([UInt8])

    /// A structure of a type that is laid out as in C.
    static func structure<Structure: BitwiseCopyable>(_ value: Structure) -> KernelArgument {
        .bytes(withUnsafeBytes(of: value, Array.init))
    }

    /// Appends the parameter's bytes, in the lowest places of words.
    fileprivate func append(to words: inout [UInt64]) {
        switch self {
        case .address(let address): words.append(address)
        case .int(let value): words.append(UInt64(bitPattern: Int64(value)))
        case .float(let value): words.append(UInt64(value.bitPattern))
        case .bytes(let bytes):
            let start = words.count
            words.append(contentsOf: repeatElement(0, count: (bytes.count + 7) / 8))
            words[start...].withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        }
    }
}

extension CUDADevice {
    /// Puts a kernel into the stream, unless the grid is empty: `name` is "File.function" of `Kernels/File.cu`, `shared` its bytes of shared memory.
    func launch(
        _ name: String, grid: (Int, Int, Int), block: Int, shared: Int = 0,
        _ arguments: KernelArgument...
    ) throws {
        guard grid.0 > 0, grid.1 > 0, grid.2 > 0 else { return }
        try context.activate()
        let function = try kernels.function(name, sharedBytes: shared)
        var (words, starts): ([UInt64], [Int]) = ([], [])
        for argument in arguments {
            starts.append(words.count)
            argument.append(to: &words)
        }
        try words.withUnsafeMutableBufferPointer { words in
            var pointers = starts.map { UnsafeMutableRawPointer?(words.baseAddress! + $0) }
            try driver.check(
                driver.launchKernel(
                    function, UInt32(grid.0), UInt32(grid.1), UInt32(grid.2), UInt32(block), 1, 1,
                    UInt32(shared), stream.handle, &pointers, nil), "cuLaunchKernel")
        }
        launchCount += 1
        used.insert(name)
    }
}

// MARK: - Memory

extension CUDADevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        let memory = try allocateBytes(shape.elementCount * dataType.size)
        return Tensor(storage: memory, shape: shape, dataType: dataType)
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        try context.activate()
        // Memory that may move is copied by the driver before the call returns.
        try driver.check(
            driver.copyToDevice(tensor.address, source, bytes.count, stream.handle),
            "cuMemcpyHtoDAsync")
    }

    public func clear(_ tensor: Tensor) throws {
        precondition(tensor.isContiguous)
        guard tensor.byteCount > 0 else { return }
        try context.activate()
        try driver.check(
            driver.setBytes(tensor.address, 0, tensor.byteCount, stream.handle),
            "cuMemsetD8Async")
    }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        precondition(bytes.count >= tensor.byteCount && tensor.isContiguous)
        guard let target = bytes.baseAddress, tensor.byteCount > 0 else { return }
        try context.activate()
        try driver.check(
            driver.copyToHost(target, tensor.address, tensor.byteCount, stream.handle),
            "cuMemcpyDtoHAsync")
        try stream.synchronize()
    }

    public func synchronize() throws {
        try context.activate()
        try openLink?.get().synchronize()
        try stream.synchronize()
    }
}

extension Tensor {
    /// Where the first element is on the card. Traps if the tensor is another device's.
    var address: UInt64 {
        let storage = (storage as? ScaledStorage)?.numbers ?? storage
        guard let memory = storage as? DeviceMemory else {
            preconditionFailure("\(self) does not lie in a card's memory")
        }
        return memory.address + UInt64(offset * dataType.size)
    }
}
