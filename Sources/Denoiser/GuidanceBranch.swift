import Compute
import Tensors

/// Everything that one branch of the guidance, with or against the prompt, keeps between passes.
public final class GuidanceBranch {
    /// Keys and values of the text for each layer.
    let text: [KeysAndValues]
    /// The reference's keys for each layer before they are turned: [frame tokens, heads, head].
    /// Motion keeps its places, so its keys are turned once.
    package let referenceKeys: [Tensor]
    /// One window for each denoising step that this process runs.
    package let windows: [KeyValueWindow]

    /// A branch that attends to `text` and has `steps` empty windows.
    init(
        text: [KeysAndValues], steps: Int, grid: LatentGrid,
        configuration: DenoiserConfiguration, on device: any Device
    ) throws {
        self.text = text
        referenceKeys = try text.map { _ in
            try device.allocate(
                [grid.frameTokens, configuration.heads, configuration.head],
                device.activationType)
        }
        windows = try (0..<steps).map { _ in
            try KeyValueWindow(grid: grid, configuration: configuration, on: device)
        }
    }

    /// Keeps a layer's conditioning, with its keys turned and not, in every window.
    func keep(
        _ conditioning: KeysAndValues, unturned: Tensor, layer: Int, on device: any Device
    ) throws {
        let reference = referenceKeys[layer]
        try device.copy(unturned.rows(0..<reference.shape[0]), into: reference)
        for window in windows {
            let place = window.conditioning(layer: layer)
            try device.copy(conditioning.keys, into: place.keys)
            try device.copy(conditioning.values, into: place.values)
        }
    }
}
