import Compute
import Layers
import Tensors

extension CausalTransformer {
    /// Brings the weights to where passes use them: the device's memory, or the host's for layers that are streamed, one after
    /// the other. What only the start of a sequence needs comes and goes then.
    ///
    /// Throws `UnsupportedOperation` for a layer to be streamed on a device whose memory is not apart.
    public func load(
        on device: any Device, residency: DenoiserResidency = .resident,
        monitor: Monitor = { _ in }
    ) throws {
        streamed = nil
        let layers = residency.streamedLayers
        let moved = layers.flatMap { blocks[$0].passParameters }
        let elsewhere = Set((moved + startParameters).map(ObjectIdentifier.init))
        let resident = parameters.filter { !elsewhere.contains(ObjectIdentifier($0)) }
        let total = moved.count + resident.count
        var completed = 0
        func report(_ count: Int) throws {
            completed += count
            try monitor(Progress("weights", completed: completed, total: total))
        }
        if !layers.isEmpty {
            let parts = layers.map { ($0, blocks[$0].passParameters) }
            moved.unload()
            streamed = try StreamedParameters(
                Dictionary(uniqueKeysWithValues: parts), slots: residency.weightSlots,
                on: device.linked()
            ) { try report(blocks[$0].passParameters.count) }
        }
        for parameter in resident {
            try device.holding(.long) { try parameter.load(on: device) }
            try report(1)
        }
    }

    /// The tensors of a layer that a pass reads, in memory of their own, on a device with these types of activations and of
    /// large matrices.
    public func layerBundle(
        _ layer: Int, activations: DataType, matrices: DataType
    ) -> TensorBundle {
        TensorBundle(
            blocks[layer].passParameters, activations: activations, matrices: matrices)
    }

    /// The parameters of a layer that a pass reads.
    public func passParameters(ofLayer layer: Int) -> [Parameter] { blocks[layer].passParameters }

    /// Parameters that only the start of a sequence needs: those of the time and, behind them, of the text.
    public var startParameters: [Parameter] {
        timeParameters + textParameterGroups.flatMap(\.self)
    }

    /// Parameters from which modulations are made.
    public var timeParameters: [Parameter] { timeEmbedding.parameters }

    /// Parameters from which keys and values of the text are made, in groups of which one is loaded at a time.
    public var textParameterGroups: [[Parameter]] {
        [textEmbedding.parameters] + blocks.map(\.textAttention.textParameters)
    }

    /// Bytes of streamed weights that were asked for so far.
    public var weightTraffic: LinkTraffic { streamed?.traffic ?? LinkTraffic() }
}
