import ArgumentParser
import Compute
import Denoiser
import Planning
import Tensors

extension Precision: ExpressibleByArgument {
    /// What tools say of `--precision`.
    public static let help = ArgumentHelp(
        "The type of large matrices: f32, bf16, fp8 or int8; by default bf16 on CUDA, else f32.",
        valueName: "type")

    /// The type of activations.
    var activations: FloatType { self == .float32 ? .float32 : .bfloat16 }
}

extension AttentionType: ExpressibleByArgument {
    /// What tools say of `--attention`.
    public static let help = ArgumentHelp(
        "The type of self-attention and its windows: bf16, which is f32 with --precision f32, or fp8; by default that of activations.",
        valueName: "type")
}

extension DeviceOptions {
    /// The precision that was asked for, or else the device's own.
    public func transformerPrecision(_ chosen: Precision?) -> Precision {
        chosen ?? (precision(nil) == .float32 ? .float32 : .bfloat16)
    }

    /// The device, computing a transformer with this precision. Throws as `open`.
    public func open(transformer precision: Precision) throws -> any Device {
        let activations = precision.activations.dataType
        return try open(
            activations: activations,
            matrices: precision.matrixType == activations ? nil : precision.matrixType)
    }

    /// How a run on the opened device shares its memory within the limit; nil without one. Throws `PlanRefusal` where it cannot
    /// fit.
    public func plan(_ request: PlanRequest, on device: any Device) throws -> MemoryPlan? {
        guard let limit = memoryLimit?.bytes else { return nil }
        return try MemoryPlan(
            request, at: PlanPlace(of: device, limit: limit), sizeOption: "encode-vae --size")
    }
}
