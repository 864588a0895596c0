import Compute
import Tensors

// Attention by `Attend.cu`, on Hopper.
extension CUDADevice {
    public func wantsTiledValues(head: Int) -> Bool {
        usesKernel && abilities.wantsTiledValues(head: head)
    }

    /// Whether it may be used at all.
    private var usesKernel: Bool { tuning.attendsItself && driver.encodeTensorMap != nil }

    /// Whether the kernel is made for this card and the shape, and computed it.
    func attendByKernel(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, into out: Tensor
    ) throws -> Bool {
        let isMade =
            usesKernel && abilities.attendsItself(key: key)
            && [query, key, value, out].allSatisfy(Self.hasWholeRows)
            && (value.dataType == .bfloat16 || value.strides[2] == value.shape[3])
        guard isMade else { return false }
        precondition(!value.isTiled || value.shape[0] == 1, "tiles of several sequences")
        for sequence in 0..<query.shape[0] {
            try attend(
                query: query[sequence], key: key[sequence], value: value[sequence], scale: scale,
                into: out[sequence])
        }
        return true
    }

    /// Whether all rows of [batch, tokens, heads, head] lie in one piece that begins at a multiple of 16 bytes.
    private static func hasWholeRows(_ tensor: Tensor) -> Bool {
        let granule = 16 / tensor.dataType.size
        return tensor.strides[3] == 1 && tensor.address % 16 == 0
            && tensor.strides.dropLast().allSatisfy { $0 % granule == 0 }
    }

    /// One sequence: tensors [tokens, heads, 128].
    private func attend(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, into out: Tensor
    ) throws {
        let type = query.dataType
        let shares = AttentionShares(
            queries: query.shape[0], keys: key.shape[0], heads: query.shape[1], dataType: type,
            multiprocessors: context.multiprocessors)
        let stepKeys = AttentionShares.keys(of: type)
        let isWide = type == .bfloat16
        // In this order, as a plan counts them.
        let values = try isWide || value.isTiled ? value : tiled(value)
        let sums = try allocate([max(shares.sumBytes, 4) / 4], .float32)
        let maps = try [
            TensorMap(rowsOf: query, count: AttentionShares.queryRows, driver: driver),
            TensorMap(rowsOf: key, count: stepKeys / 2, driver: driver),
            isWide
                ? TensorMap(rowsOf: values, count: stepKeys / 2, driver: driver)
                : TensorMap(
                    tilesOf: values, count: stepKeys / 2 / Tensor.tileRows, driver: driver),
        ].map { KernelArgument.bytes($0.bytes) }
        let problem = KernelArgument.structure(
            Attendance(
                shares, queries: query.shape[0], keys: key.shape[0], heads: query.shape[1],
                scale: scale))
        let scales = KernelArgument.structure(
            AttendanceScales(query: query, key: key, value: value, out: out))
        let name = isWide ? "bf16" : "e4m3"
        // Nothing may take the memory of sums and values before the last kernel is in the stream.
        try withExtendedLifetime((sums, values)) {
            try launch(
                "Attend.attend_\(name)", grid: (2 * shares.clusters, 1, 1), block: 384,
                shared: Self.sharedBytes(of: type), maps[0], maps[1], maps[2], problem, scales,
                .address(out.address), .int(out.strides[0]), .int(out.strides[1]),
                .address(sums.address))
            // A warp for each row of a pair that was shared, eight to a block.
            let rows = 2 * (shares.pairs - shares.wholePairs) * AttentionShares.queryRows
            try launch(
                "Attend.attendMerge_\(name)", grid: (rows / 8, 1, 1), block: 256, problem, scales,
                .address(out.address), .int(out.strides[0]), .int(out.strides[1]),
                .address(sums.address))
        }
    }

    /// Values [keys, heads, 128] of 8 bits in tiles, as the matrix units take them.
    private func tiled(_ values: Tensor) throws -> Tensor {
        guard let scale = values.scales else { preconditionFailure("\(values) has no scale") }
        let (keys, whole) = (values.shape[0], values.shape[0].roundedUp(to: Tensor.tileRows))
        let tiled = try allocate([whole, values.shape[1], values.shape[2]], .float8E4M3)
            .scaled(byOne: scale, inTiles: true)
        try tile(values.numbers, into: tiled.rows(0..<keys))
        return tiled
    }

    /// Bytes of shared memory: queries, and some steps' keys and values; barriers at the end.
    private static func sharedBytes(of type: DataType) -> Int {
        let rowBytes = AttentionShares.head * type.size
        return AttentionShares.queryRows * rowBytes
            + 2 * stages(of: type) * AttentionShares.keys(of: type) * rowBytes + 1024
    }

    /// Steps whose keys and values lie in shared memory at once.
    package static func stages(of type: DataType) -> Int { type == .bfloat16 ? 2 : 4 }
}

/// `Attendance` of `Attend.cu`.
private struct Attendance: BitwiseCopyable {
    let heads, tilesOfHead, queries, keys, pairs, steps, wholePairs, share: Int32
    let factor: Float

    init(_ shares: AttentionShares, queries: Int, keys: Int, heads: Int, scale: Float) {
        self.heads = Int32(heads)
        tilesOfHead = Int32(shares.tilesOfHead)
        (self.queries, self.keys) = (Int32(queries), Int32(keys))
        pairs = Int32(shares.pairs)
        steps = Int32(shares.steps)
        wholePairs = Int32(shares.wholePairs)
        share = Int32(shares.share)
        // Powers of 2 in place of those of e.
        factor = scale * 1.442_695_04
    }
}

/// `Scales` of `Attend.cu`: addresses, 0 where there are no scales.
private struct AttendanceScales: BitwiseCopyable {
    let query, key, value, out: UInt64

    init(query: Tensor, key: Tensor, value: Tensor, out: Tensor) {
        func address(_ tensor: Tensor) -> UInt64 { tensor.scales?.address ?? 0 }
        self.query = address(query)
        self.key = address(key)
        self.value = address(value)
        self.out = address(out)
    }
}
