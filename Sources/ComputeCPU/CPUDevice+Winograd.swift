import CKernels
import Compute
import Tensors

extension CPUDevice {
    /// Whether a convolution is faster by Winograd's minimal filtering than directly.
    func usesWinograd(
        _ x: Tensor, _ weight: Tensor, _ geometry: ConvolutionGeometry
    ) -> Bool {
        let panel = Int(kernels.pointee.panel)
        let outputs = weight.shape[0]
        let padded = (outputs + panel - 1) / panel * panel
        return weight.shape[3] == 3 && weight.shape[4] == 3 && geometry.groups == 1
            && geometry.stride == .init(1, 1, 1)
            && geometry.leading.frames == 0 && geometry.trailing.frames == 0
            // Narrow weights would leave most of a panel empty, and transforms cost as much as products.
            && 4 * padded <= 5 * outputs && x.shape[3] >= 16
            && (weight.dataType == .float32
                || kernels.pointee.has_pairs != 0 && x.shape[3] % 2 == 0)
    }

    /// y = x convolved with the transformed weight + bias + residual; x, residual and y contiguous.
    func convolve(
        _ x: Tensor, _ weight: WinogradWeight, taps: Int, bias: Tensor?,
        geometry: ConvolutionGeometry, residual: Tensor?, into y: Tensor
    ) throws {
        let operands = WinogradOperands(
            x: x, weight: weight, taps: taps, bias: bias, geometry: geometry, residual: residual,
            y: y)
        // Frames of a block share its transformed inputs; together with tiles they are the rows of its products.
        let frames = min(y.shape[0], 4)
        let tiles = operands.tiles
        let rows = 144
        let fair = (tiles + 4 * workers.count - 1) / (4 * workers.count)
        let blockTiles = max(1, min(tiles, max(rows / frames, 1), max(fair, 12)))
        let blocks = (tiles + blockTiles - 1) / blockTiles
        let spans = (y.shape[0] + frames - 1) / frames
        try runWinograd(
            blocks * spans, like: operands.work(frames: 0..<frames, tiles: 0..<blockTiles)
        ) { index in
            let (span, block) = (index / blocks, index % blocks)
            return operands.work(
                frames: span * frames..<min(y.shape[0], (span + 1) * frames),
                tiles: block * blockTiles..<min(tiles, (block + 1) * blockTiles))
        }
    }

    /// Runs `count` pieces of work, none larger than `largest`.
    private func runWinograd(
        _ count: Int, like largest: kernel_winograd, _ work: (Int) -> kernel_winograd
    ) throws {
        let kernels = kernels.pointee
        var largest = largest
        try forPieces(count, scratchBytes: kernels.winograd_scratch(&largest)) { index, scratch in
            var piece = work(index)
            kernels.winograd(&piece, scratch)
        }
    }
}

/// The tensors of one convolution.
private struct WinogradOperands {
    let x: Tensor
    let weight: WinogradWeight
    let taps: Int
    let bias: Tensor?
    let geometry: ConvolutionGeometry
    let residual: Tensor?
    let y: Tensor

    /// Tiles of 2 x 2 outputs in a frame.
    var tiles: Int { (y.shape[1] + 1) / 2 * ((y.shape[2] + 1) / 2) }

    /// The kernel's work on a range of tiles of a range of frames.
    func work(frames: Range<Int>, tiles: Range<Int>) -> kernel_winograd {
        func frame(_ tensor: Tensor) -> UnsafeMutableRawPointer {
            tensor.address + frames.lowerBound * tensor.strides[0] * tensor.dataType.size
        }
        return kernel_winograd(
            x: frame(x), weights: weight.address, bias: bias.map { UnsafePointer($0.floatAddress) },
            residual: residual.map { UnsafeRawPointer(frame($0)) }, y: frame(y),
            frames: frames.count, taps: taps, height: x.shape[1], width: x.shape[2],
            channels: x.shape[3], out_height: y.shape[1], out_width: y.shape[2],
            out_channels: y.shape[3], top: geometry.leading.height, left: geometry.leading.width,
            first_tile: tiles.lowerBound, tiles: tiles.count,
            is_bfloat16: x.dataType == .bfloat16 ? 1 : 0,
            out_is_bfloat16: y.dataType == .bfloat16 ? 1 : 0)
    }
}
