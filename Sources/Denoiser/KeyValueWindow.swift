import Compute
import Tensors

/// The keys and values that one denoising step attends to, layer by layer: conditioning tokens in
/// front, then a ring of the latest clip's tokens. One buffer, so that attention sees them as one.
///
/// The ring keeps keys as they were at this step's noise level, never those of clean latents.
package final class KeyValueWindow {
    private let grid: LatentGrid
    private let keys: [Tensor]
    private let values: [Tensor]

    /// A window of zeros, which a replay may attend to before it has filled it: of the activations' type, or of 8 bits
    /// where there are scales for each layer.
    init(
        grid: LatentGrid, configuration: DenoiserConfiguration, scales: [AttentionScales]?,
        on device: any Device
    ) throws {
        self.grid = grid
        let shape: Shape = [
            grid.conditioningTokens + grid.windowTokens, configuration.heads, configuration.head,
        ]
        func zeros(scale: Tensor?) throws -> Tensor {
            guard let scale else { return try device.zeros(shape, device.activationType) }
            return try device.zeros(shape, .float8E4M3).scaled(byOne: scale)
        }
        let layers = 0..<configuration.layers
        keys = try layers.map { try zeros(scale: scales?[$0].key) }
        values = try layers.map { try zeros(scale: scales?[$0].value) }
    }

    /// Where the reference's keys of a layer go, turned for each pass anew.
    func referenceKeys(layer: Int) -> Tensor { keys[layer].rows(0..<grid.frameTokens) }

    /// Where a layer's conditioning goes.
    package func conditioning(layer: Int) -> KeysAndValues {
        part(layer: layer, 0..<grid.conditioningTokens)
    }

    /// A layer's ring: rows of clip frame 0, 1, ... of whichever clip wrote them last.
    package func ring(layer: Int) -> KeysAndValues {
        part(layer: layer, grid.conditioningTokens..<grid.conditioningTokens + grid.windowTokens)
    }

    /// Where a layer's tokens of the block that starts at token `position` of the video go.
    func block(layer: Int, position: Int) -> KeysAndValues {
        let start = grid.conditioningTokens + position % grid.windowTokens
        return part(layer: layer, start..<start + grid.blockTokens)
    }

    /// All that the block starting at token `position` attends to, itself included.
    func active(layer: Int, position: Int) -> KeysAndValues {
        let filled = min(position + grid.blockTokens, grid.windowTokens)
        return part(layer: layer, 0..<grid.conditioningTokens + filled)
    }

    private func part(layer: Int, _ rows: Range<Int>) -> KeysAndValues {
        KeysAndValues(keys: keys[layer].rows(rows), values: values[layer].rows(rows))
    }
}
