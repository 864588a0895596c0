import Compute
import Tensors

/// The keys and values that one denoising step attends to, layer by layer: conditioning tokens in front,
/// then a ring of the latest clip's tokens. One buffer, so that attention sees them side by side.
///
/// The ring keeps keys as they were at this step's noise level, never those of clean latents.
final class KeyValueWindow {
    private let conditioningTokens: Int
    private let ringTokens: Int
    private let keys: [Tensor]
    private let values: [Tensor]

    /// A window of zeros, which a replay may attend to before it has filled it.
    init(
        grid: LatentGrid, configuration: DenoiserConfiguration, on device: any Device
    ) throws {
        conditioningTokens = grid.conditioningTokens
        ringTokens = grid.windowTokens
        let shape: Shape = [
            conditioningTokens + ringTokens, configuration.heads, configuration.head,
        ]
        keys = try (0..<configuration.layers).map { _ in
            try device.zeros(shape, device.activationType)
        }
        values = try (0..<configuration.layers).map { _ in
            try device.zeros(shape, device.activationType)
        }
    }

    /// Where a layer's conditioning goes.
    func conditioning(layer: Int) -> KeysAndValues {
        part(layer: layer, 0..<conditioningTokens)
    }

    /// Where a layer's tokens of the block that starts at token `position` of the video go.
    func block(layer: Int, position: Int, tokens: Int) -> KeysAndValues {
        let start = conditioningTokens + position % ringTokens
        return part(layer: layer, start..<start + tokens)
    }

    /// All that the block starting at token `position` attends to, itself included.
    func active(layer: Int, position: Int, tokens: Int) -> KeysAndValues {
        part(layer: layer, 0..<conditioningTokens + min(position + tokens, ringTokens))
    }

    private func part(layer: Int, _ rows: Range<Int>) -> KeysAndValues {
        KeysAndValues(keys: keys[layer].rows(rows), values: values[layer].rows(rows))
    }
}

/// Everything that one branch of the guidance, with or against the prompt, keeps between forwards.
public final class GuidanceBranch {
    /// Keys and values of the text for each layer.
    let text: [KeysAndValues]
    /// Conditioning keys for each layer before they are turned: [tokens, heads, head].
    var conditioningKeys: [Tensor] = []
    /// One window for each denoising step that this process runs.
    let windows: [KeyValueWindow]

    init(text: [KeysAndValues], windows: [KeyValueWindow]) {
        self.text = text
        self.windows = windows
    }
}
