import CNVIDIA
import Compute
import Tensors

/// What Hopper's copy engine is told of a tensor of three axes on the card, and of the boxes of it that it fetches.
struct TensorMap {
    /// The driver's 128 bytes, as a kernel takes them.
    let bytes: [UInt8]

    /// How rows of a box are swizzled in shared memory.
    enum Swizzle {
        /// Rows of 64 bytes.
        case of64
        /// Rows of 128 bytes.
        case of128

        fileprivate var number: Int32 {
            switch self {
            case .of64: Int32(CU_TENSOR_MAP_SWIZZLE_64B)
            case .of128: Int32(CU_TENSOR_MAP_SWIZZLE_128B)
            }
        }
    }

    /// Boxes [box] of a tensor [a, b, c] in bfloat16 or of 8 bits, whose last axis lies in one piece; elements outside are 0.
    /// Throws `CUDAError` unless strides and address are multiples of 16 bytes.
    init(_ tensor: Tensor, box: [Int], swizzle: Swizzle, driver: DriverAPI) throws {
        precondition(tensor.shape.rank == 3 && box.count == 3 && tensor.strides[2] == 1)
        guard let encode = driver.encodeTensorMap else {
            throw MissingSymbol(name: "cuTensorMapEncodeTiled", library: "the CUDA driver")
        }
        let isWide = tensor.dataType == .bfloat16
        precondition(isWide || tensor.dataType.size == 1)
        // The driver counts axes from the last.
        let sizes = tensor.shape.dimensions.reversed().map { UInt64($0) }
        let strides = tensor.strides.dropLast().reversed().map {
            UInt64($0 * tensor.dataType.size)
        }
        let map = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.byteCount, alignment: Self.alignment)
        defer { map.deallocate() }
        try driver.check(
            encode(
                map.baseAddress!,
                Int32(
                    isWide ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_UINT8), 3,
                UnsafeMutableRawPointer(bitPattern: UInt(tensor.address))!, sizes, strides,
                box.reversed().map { UInt32($0) }, [1, 1, 1], 0, swizzle.number,
                Int32(CU_TENSOR_MAP_L2_PROMOTION_L2_128B), 0), "cuTensorMapEncodeTiled")
        bytes = Array(map)
    }

    private static let byteCount = 128
    private static let alignment = 64
}
