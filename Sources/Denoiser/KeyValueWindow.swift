import Compute
import Layers
import Tensors

/// The keys and values that one denoising step attends to, layer by layer, on the device or fetched for each use.
package final class KeyValueWindow {
    private let layers: [Layer]
    private let grid: LatentGrid
    private let slots: StreamedSlots?
    private let hasTiledValues: Bool

    private enum Layer {
        case resident(LayerWindow)
        case streamed(StreamedGroup, scales: AttentionScales?)
    }

    /// A window of zeros, which a replay may attend to before it has filled it; layers of `streamed` take their turns in
    /// `slots`. Where there are scales for each layer it is of 8 bits.
    init(
        grid: LatentGrid, configuration: DenoiserConfiguration, scales: [AttentionScales]?,
        streamed: Set<Int>, slots: StreamedSlots?, on device: any Device
    ) throws {
        self.grid = grid
        self.slots = slots
        let shape = configuration.windowShape(on: grid)
        let hasTiledValues =
            scales != nil && grid.hasWholeTiles
            && device.wantsTiledValues(head: configuration.head)
        self.hasTiledValues = hasTiledValues
        layers = try (0..<configuration.layers).map { layer in
            let scales = scales?[layer]
            let type = scales == nil ? device.activationType : .float8E4M3
            guard streamed.contains(layer) else {
                return .resident(
                    LayerWindow(
                        grid: grid, keys: try device.zeros(shape, type),
                        values: try device.zeros(shape, type), scales: scales,
                        hasTiledValues: hasTiledValues))
            }
            let group = try StreamedGroup(
                configuration.windowBundle(on: grid, type: type), on: device.linked())
            group.clear()
            group.overwritten = group.bundle.rows(overwrittenAt: 0, on: grid)
            return .streamed(group, scales: scales)
        }
    }

    /// The memory of the layers that are streamed, in order.
    var streamedGroups: [StreamedGroup] {
        layers.compactMap {
            guard case .streamed(let group, _) = $0 else { return nil }
            return group
        }
    }
}

// MARK: - Use

extension KeyValueWindow {
    /// A layer for the pass of the block that starts at token `position` of the video, up to `finish`. The block's own rows and
    /// the reference's keys are undefined before they are written.
    func use(layer: Int, position: Int) throws -> LayerWindow {
        try use(layer) { group, slots in
            try slots.use(
                group, overwriting: group.bundle.rows(overwrittenAt: position, on: grid))
        }
    }

    /// Ends the use of a layer that attention has read, and keeps the block's rows.
    func finish(layer: Int, position: Int) throws {
        guard case .streamed(let group, _) = layers[layer] else { return }
        // What the pass of the block behind this one writes need not come back.
        group.overwritten = group.bundle.rows(
            overwrittenAt: position + grid.blockTokens, on: grid)
        try slots?.finish(group, storing: group.bundle.rows(writtenAt: position, on: grid))
    }

    /// Takes a layer's conditioning, [conditioning tokens, heads, head].
    func keep(_ conditioning: KeysAndValues, layer: Int, on device: any Device) throws {
        let place = try use(layer) { group, slots in try slots.replace(group) }.conditioning
        try device.copy(conditioning.keys, into: place.keys)
        try device.copy(conditioning.values, into: place.values)
        guard case .streamed(let group, _) = layers[layer] else { return }
        try slots?.finish(group, storing: group.bundle.conditioningRows(on: grid))
    }

    /// Lends a whole layer, to be read; values in tiles only by attention.
    package func reading<Result>(
        layer: Int, _ body: (LayerWindow) throws -> Result
    ) throws -> Result {
        let result = try body(use(layer) { group, slots in try slots.use(group) })
        if case .streamed(let group, _) = layers[layer] { try slots?.finish(group) }
        return result
    }

    /// A layer as it is, or with the tensors that `fetch` brings.
    private func use(
        _ layer: Int, _ fetch: (StreamedGroup, StreamedSlots) throws -> [Tensor]
    ) throws -> LayerWindow {
        switch layers[layer] {
        case .resident(let window): return window
        case .streamed(let group, let scales):
            guard let slots else { preconditionFailure("a streamed window has no slots") }
            let tensors = try fetch(group, slots)
            return LayerWindow(
                grid: grid, keys: tensors[0], values: tensors[1], scales: scales,
                hasTiledValues: hasTiledValues)
        }
    }
}
