import CNVIDIA
import Compute
import Tensors

/// What Hopper's copy engine is told of a tensor of three axes on the card, and of the boxes of it that it fetches. Elements
/// outside are 0.
struct TensorMap {
    /// The driver's 128 bytes, as a kernel takes them.
    let bytes: [UInt8]

    /// Boxes of `count` rows of a head, 128 bytes of each, of a tensor [rows, heads, head] in bfloat16 or of 8 bits whose last
    /// axis lies in one piece. Rows are swizzled in shared memory. Throws `CUDAError` unless strides and address are
    /// multiples of 16 bytes.
    init(rowsOf tensor: Tensor, count: Int, driver: DriverAPI) throws {
        precondition(tensor.shape.rank == 3 && tensor.strides[2] == 1)
        let (isWide, size) = (tensor.dataType == .bfloat16, tensor.dataType.size)
        precondition(isWide || size == 1)
        try self.init(
            Axes(
                elementType: isWide
                    ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_UINT8,
                sizes: tensor.shape.dimensions.reversed(),
                strides: [tensor.strides[1] * size, tensor.strides[0] * size],
                box: [128 / size, 1, count]),
            at: tensor.address, swizzle: CU_TENSOR_MAP_SWIZZLE_128B, driver: driver)
    }

    /// Boxes of `count` tiles of a head, one behind the other, of values [rows, heads, 128] in tiles. Throws as above.
    init(tilesOf values: Tensor, count: Int, driver: DriverAPI) throws {
        precondition(values.isTiled && values.shape.rank == 3)
        let tileBytes = Tensor.tileRows * values.shape[2]
        let tiles = values.shape[0].roundedUp(to: Tensor.tileRows) / Tensor.tileRows
        let heads = values.shape[1]
        // A box has 256 elements along an axis at most.
        let element = MemoryLayout<UInt64>.size
        try self.init(
            Axes(
                elementType: CU_TENSOR_MAP_DATA_TYPE_UINT64,
                sizes: [tileBytes / element, heads, tiles],
                strides: [tileBytes, heads * tileBytes], box: [tileBytes / element, 1, count]),
            at: values.address, swizzle: CU_TENSOR_MAP_SWIZZLE_NONE, driver: driver)
    }

    /// Three axes, counted from the innermost.
    private struct Axes {
        let elementType: Int
        let sizes: [Int]
        /// Bytes from one index of the second and third to the next.
        let strides: [Int]
        let box: [Int]
    }

    private init(
        _ axes: Axes, at address: UInt64, swizzle: Int, driver: DriverAPI
    ) throws {
        guard let encode = driver.encodeTensorMap else {
            throw MissingSymbol(name: "cuTensorMapEncodeTiled", library: "the CUDA driver")
        }
        let map = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.byteCount, alignment: Self.alignment)
        defer { map.deallocate() }
        try driver.check(
            encode(
                map.baseAddress!, Int32(axes.elementType), 3,
                UnsafeMutableRawPointer(bitPattern: UInt(address))!, axes.sizes.map { UInt64($0) },
                axes.strides.map { UInt64($0) }, axes.box.map { UInt32($0) }, [1, 1, 1], 0,
                Int32(swizzle), Int32(CU_TENSOR_MAP_L2_PROMOTION_L2_128B), 0),
            "cuTensorMapEncodeTiled")
        bytes = Array(map)
    }

    private static let byteCount = 128
    private static let alignment = 64
}
