import Compute
import Layers
import Tensors

/// Everything that one branch of the guidance, with or against the prompt, keeps between passes.
public final class GuidanceBranch {
    /// Keys and values of the text for each layer.
    let text: [KeysAndValues]
    /// The reference's keys for each layer before they are turned: [frame tokens, heads, head].
    /// Motion keeps its places, so its keys are turned once.
    package let referenceKeys: [Tensor]
    /// The scales of each layer's attention in 8 bits; nil where windows are of the activations' type.
    let scales: [AttentionScales]?
    /// Whether the scales of values are known.
    private(set) var areValuesMeasured: Bool
    /// One window for each denoising step that this process runs.
    package let windows: [KeyValueWindow]

    /// A branch that attends to `text` and has `steps` empty windows, of 8 bits where there are scales; those that are streamed
    /// share `slots`.
    init(
        text: [KeysAndValues], steps: Int, grid: LatentGrid, scales: [AttentionScales]?,
        residency: DenoiserResidency, slots: StreamedSlots?,
        configuration: DenoiserConfiguration, on device: any Device
    ) throws {
        self.text = text
        self.scales = scales
        areValuesMeasured = scales == nil
        referenceKeys = try text.map { _ in
            try device.allocate(
                [grid.frameTokens, configuration.heads, configuration.head],
                device.activationType)
        }
        windows = try (0..<steps).map { step in
            try KeyValueWindow(
                grid: grid, configuration: configuration, scales: scales,
                streamed: residency.streamedWindows(step: step), slots: slots, on: device)
        }
    }

    /// Keeps a layer's conditioning, with its keys turned and not, in every window. Layers come in order.
    func keep(
        _ conditioning: KeysAndValues, unturned: Tensor, layer: Int, on device: any Device
    ) throws {
        if let scales, !areValuesMeasured {
            try scales[layer].measure(values: conditioning.values, on: device)
            areValuesMeasured = layer == scales.count - 1
        }
        let reference = referenceKeys[layer]
        try device.copy(unturned.rows(0..<reference.shape[0]), into: reference)
        for window in windows { try window.keep(conditioning, layer: layer, on: device) }
    }
}
