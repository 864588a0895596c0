import Compute
import Layers
import Tensors

/// The last layer: from tokens to the velocity of latents. In float32.
package struct VelocityHead {
    /// [1, 2, dim]: shift and scale.
    let modulation: Parameter
    let projection: Linear

    /// The layer under `head`.
    init(_ scope: WeightScope, configuration: DenoiserConfiguration) {
        modulation = scope.parameter("modulation", [1, 2, configuration.dim])
        projection = Linear(
            scope.scope("head"), from: configuration.dim,
            to: PatchSize.block.elementCount(channels: configuration.latentChannels),
            as: .fixed(.float32))
    }

    /// Shift and scale [2, dim] with a timestep's vector [1, dim] added.
    package func modulation(with vector: Tensor, on device: any Device) throws -> Tensor {
        let rows = try device.allocate([2, vector.shape[1]], .float32)
        try device.add(
            modulation.tensor.reshaped(rows.shape), vector, gate: nil, mask: nil, alpha: 1,
            into: rows)
        return rows
    }

    /// The velocity, shaped as `latents`, of tokens x [tokens, dim].
    package func callAsFunction(
        _ x: Tensor, modulation: Tensor, like latents: Latents, epsilon: Float,
        on device: any Device
    ) throws -> Latents {
        let normalised = try device.allocate(x.shape, .float32)
        try device.layerNorm(
            x, weight: nil, bias: nil, scale: modulation.rows(1..<2),
            shift: modulation.rows(0..<1), epsilon: epsilon, into: normalised)
        let patches = try device.floats(projection(normalised, on: device, as: .float32))
        return Latents(
            patches: patches, channels: latents.channels, frames: latents.frames,
            height: latents.height, width: latents.width)
    }
}
