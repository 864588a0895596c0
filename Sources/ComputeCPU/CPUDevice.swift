import CKernels
import COneDNN
import Compute
import Tensors

/// The processor as a device: matrix products and convolutions by oneDNN, attention by tiles, the rest row by
/// row, all of it on every core and finished when the call returns.
///
/// Equal inputs give equal bits, whatever else the machine does. A device is used by one thread at a time.
public final class CPUDevice: Device, MemoryReporting {
    public let name = "cpu"
    public let activationType: DataType
    public let matrixType: DataType

    let workers: Workers
    let pool: MemoryPool
    let oneDNN: OneDNN
    let kernels: UnsafePointer<kernel_table>

    /// A device that keeps activations in `activationType` and large matrices in `matrixType` (int8 or float8_e4m3; by
    /// default as activations), holds at most `memoryLimit` bytes beside mapped files, and uses `threads` threads, by
    /// default one for each core or as OMP_NUM_THREADS says.
    ///
    /// Throws `UnsupportedOperation` for bfloat16 on a processor that cannot multiply it and for matrices of other
    /// types, and `MissingCPULibrary` where oneDNN is not installed.
    public convenience init(
        activationType: DataType = .float32, matrixType: DataType? = nil, memoryLimit: Int? = nil,
        threads: Int? = nil
    ) throws {
        try self.init(
            activationType: activationType, matrixType: matrixType ?? activationType,
            memoryLimit: memoryLimit, threads: threads, kernels: kernels_best())
    }

    /// The same with the kernels of an instruction set that the processor has; oneDNN chooses for itself.
    package convenience init(instructionSet: String) throws {
        guard
            let kernels = Self.availableKernels.first(where: {
                String(cString: $0.pointee.name) == instructionSet
            })
        else { throw UnsupportedOperation(device: "cpu", operation: instructionSet) }
        try self.init(
            activationType: .float32, matrixType: .float32, memoryLimit: nil, threads: nil,
            kernels: kernels)
    }

    private init(
        activationType: DataType, matrixType: DataType, memoryLimit: Int?, threads: Int?,
        kernels: UnsafePointer<kernel_table>
    ) throws {
        guard activationType == .float32 || Self.isSupported(activationType) else {
            throw UnsupportedOperation(
                device: "cpu", operation: "\(activationType) activations on this processor")
        }
        guard matrixType == activationType || matrixType.isNarrow else {
            throw UnsupportedOperation(
                device: "cpu",
                operation: "\(matrixType) matrices beside \(activationType) activations")
        }
        try MissingCPULibrary.check(kernels_open(), "OpenMP")
        try MissingCPULibrary.check(onednn_open(), "oneDNN")
        self.activationType = activationType
        self.matrixType = matrixType
        self.kernels = kernels
        workers = Workers(count: threads)
        pool = MemoryPool(limit: memoryLimit)
        oneDNN = try OneDNN()
    }

    /// The instruction sets that the processor has and kernels were compiled for, worst first.
    package static var instructionSets: [String] {
        availableKernels.map { String(cString: $0.pointee.name) }
    }

    private static var availableKernels: [UnsafePointer<kernel_table>] {
        let tables = UnsafeMutablePointer<UnsafePointer<kernel_table>?>.allocate(capacity: 4)
        defer { tables.deallocate() }
        return (0..<kernels_available(tables)).compactMap { tables[$0] }
    }

    /// Whether products of this type are fast on this processor.
    public static func isSupported(_ dataType: DataType) -> Bool {
        switch dataType {
        case .float32: true
        case .bfloat16: kernels_have_bfloat16() != 0
        case .int8: kernels_have_int8() != 0
        default: false
        }
    }

    /// Bytes that live tensors and packed weights hold now, mapped files apart.
    public var allocatedBytes: Int { pool.counters.used }
    /// The most bytes that they held at once.
    public var peakBytes: Int { pool.counters.peak }
    /// The number of threads that operations use.
    public var threads: Int { workers.count }
    /// The instruction set that the kernels were compiled for, as in `AVX-512 with bfloat16`.
    public var instructionSet: String { String(cString: kernels.pointee.name) }

    /// An error that says what is not offered.
    func unsupported(_ operation: String) -> UnsupportedOperation {
        UnsupportedOperation(device: name, operation: operation)
    }
}

// MARK: - Memory

extension CPUDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        let byteCount = shape.elementCount * dataType.size
        let block = try pool.allocate(byteCount)
        return Tensor(
            storage: HostMemory(block, byteCount: byteCount), shape: shape, dataType: dataType)
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        tensor.address.copyMemory(from: source, byteCount: bytes.count)
    }

    public func clear(_ tensor: Tensor) throws {
        precondition(tensor.isContiguous)
        let address = tensor.address
        workers.forRanges(of: tensor.byteCount, minimum: 1 << 18) { range in
            (address + range.lowerBound).initializeMemory(
                as: UInt8.self, repeating: 0, count: range.count)
        }
    }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        precondition(bytes.count >= tensor.byteCount && tensor.isContiguous)
        guard let target = bytes.baseAddress, tensor.byteCount > 0 else { return }
        target.copyMemory(from: tensor.address, byteCount: tensor.byteCount)
    }

    /// Does nothing: operations are done when they return.
    public func synchronize() {}

    /// Runs a primitive on the operands at these addresses, with scratch memory of the pool.
    func run(_ primitive: Primitive, _ addresses: [UnsafeMutableRawPointer]) throws {
        workers.prepare()
        let scratch =
            primitive.scratchBytes > 0 ? try pool.allocate(primitive.scratchBytes) : nil
        try primitive.execute(oneDNN.stream, addresses, scratch: scratch?.address)
    }

    /// Runs `count` pieces of work on all threads, each thread with `scratchBytes` of memory of its own.
    func forPieces(
        _ count: Int, scratchBytes: Int, _ work: (Int, UnsafeMutableRawPointer) -> Void
    ) throws {
        let cacheLine = 64
        let perThread = (scratchBytes + cacheLine - 1) / cacheLine * cacheLine
        let threads = min(workers.count, count)
        let scratch = try pool.allocate(perThread * threads)
        workers.forRanges(of: threads) { parts in
            for part in parts {
                let room = scratch.address + part * perThread
                for index in count * part / threads..<count * (part + 1) / threads {
                    work(index, room)
                }
            }
        }
    }
}
