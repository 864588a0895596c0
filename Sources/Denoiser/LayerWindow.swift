import Compute
import Layers
import Tensors

/// A layer's keys and values for one denoising step: conditioning tokens in front, then a ring of the latest clip's tokens. One
/// buffer each, so that attention sees them as one.
///
/// The ring keeps keys as they were at this step's noise level, never those of clean latents.
package struct LayerWindow {
    let grid: LatentGrid
    /// [conditioning and window tokens, heads, head]
    let keys: Tensor
    /// Like the keys; of 8 bits perhaps in tiles.
    let values: Tensor

    /// Keys and values as they are, or of 8 bits with these scales.
    init(
        grid: LatentGrid, keys: Tensor, values: Tensor, scales: AttentionScales?,
        hasTiledValues: Bool
    ) {
        self.grid = grid
        guard let scales else {
            (self.keys, self.values) = (keys, values)
            return
        }
        self.keys = keys.scaled(byOne: scales.key)
        self.values = values.scaled(byOne: scales.value, inTiles: hasTiledValues)
    }

    /// Where the reference's keys go, turned for each pass anew.
    var referenceKeys: Tensor { keys.rows(0..<grid.frameTokens) }

    /// Where the conditioning goes.
    package var conditioning: KeysAndValues { part(0..<grid.conditioningTokens) }

    /// The ring: rows of clip frame 0, 1, ... of whichever clip wrote them last.
    package var ring: KeysAndValues {
        part(grid.conditioningTokens..<grid.conditioningTokens + grid.windowTokens)
    }

    /// Where tokens of the block that starts at token `position` of the video go.
    func block(position: Int) -> KeysAndValues { part(grid.rows(ofBlockAt: position)) }

    /// All that the block starting at token `position` attends to, itself included.
    func active(position: Int) -> KeysAndValues {
        let filled = min(position + grid.blockTokens, grid.windowTokens)
        return part(0..<grid.conditioningTokens + filled)
    }

    private func part(_ rows: Range<Int>) -> KeysAndValues {
        KeysAndValues(keys: keys.rows(rows), values: values.rows(rows))
    }
}

extension LatentGrid {
    /// Whether the conditioning and each block are whole tiles of rows.
    var hasWholeTiles: Bool {
        [conditioningTokens, blockTokens].allSatisfy { $0 % Tensor.tileRows == 0 }
    }

    /// The rows of a window for the block that starts at token `position` of the video.
    fileprivate func rows(ofBlockAt position: Int) -> Range<Int> {
        let start = conditioningTokens + position % windowTokens
        return start..<start + blockTokens
    }
}

// MARK: - Streaming

extension DenoiserConfiguration {
    /// The shape of a layer's keys, and of its values, for one step.
    func windowShape(on grid: LatentGrid) -> Shape {
        [grid.conditioningTokens + grid.windowTokens, heads, head]
    }

    /// A layer's keys and values for one step in memory of their own.
    public func windowBundle(on grid: LatentGrid, type: DataType) -> TensorBundle {
        let content = TensorBundle.Content(windowShape(on: grid), type)
        return TensorBundle([content, content])
    }

    /// Bytes that a layer's streamed window of one step takes over the link in the pass of a block that is not the first
    /// behind a prefill.
    public func windowTraffic(on grid: LatentGrid, type: DataType) -> LinkTraffic {
        let bundle = windowBundle(on: grid, type: type)
        func bytes(_ ranges: [Range<Int>]) -> Int { ranges.reduce(0) { $0 + $1.count } }
        return LinkTraffic(
            fetched: bytes(bundle.bytes(except: bundle.rows(overwrittenAt: 0, on: grid))),
            stored: bytes(bundle.rows(writtenAt: 0, on: grid)))
    }
}

/// Of a layer's keys and values, the bytes of some rows, in order.
extension TensorBundle {
    /// What the pass of the block at token `position` writes before it reads: the reference's keys and the block's own rows.
    func rows(overwrittenAt position: Int, on grid: LatentGrid) -> [Range<Int>] {
        [bytes(ofRows: 0..<grid.frameTokens, of: 0)] + rows(writtenAt: position, on: grid)
    }

    /// What must be kept of it: the block's own rows.
    func rows(writtenAt position: Int, on grid: LatentGrid) -> [Range<Int>] {
        let rows = grid.rows(ofBlockAt: position)
        return [bytes(ofRows: rows, of: 0), bytes(ofRows: rows, of: 1)]
    }

    /// What must be kept of the conditioning: all but the reference's keys.
    func conditioningRows(on grid: LatentGrid) -> [Range<Int>] {
        [
            bytes(ofRows: grid.frameTokens..<grid.conditioningTokens, of: 0),
            bytes(ofRows: 0..<grid.conditioningTokens, of: 1),
        ]
    }
}
