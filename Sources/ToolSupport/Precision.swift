import ArgumentParser
import Compute
import Denoiser
import Planning
import Tensors

extension Precision: ExpressibleByArgument {
    /// What tools say of `--precision`.
    public static let help = ArgumentHelp(
        "The type of large matrices: f32, bf16, fp8 or int8; by default f32 on a CPU, and on CUDA what weights were prepared in, or bf16.",
        valueName: "type")
}

extension AttentionType: ExpressibleByArgument {
    /// What tools say of `--attention`.
    public static let help = ArgumentHelp(
        "The type of self-attention and its windows: bf16, which is f32 with --precision f32, or fp8; by default that of activations.",
        valueName: "type")
}

extension Precision {
    /// The precision of a transformer where none is asked for: on a card that of weights that were prepared in 8 bits.
    public static func ofTransformer(onCard: Bool, prepared: DataType?) -> Precision {
        guard onCard else { return .float32 }
        return allCases.first { $0.matrixType == prepared } ?? .bfloat16
    }
}

extension DeviceOptions {
    /// The precision that was asked for; or else on a card that of weights that were prepared in 8 bits, and the device's own.
    public func transformerPrecision(
        _ chosen: Precision?, prepared: DataType? = nil
    ) -> Precision {
        if let chosen { return chosen }
        return Precision.ofTransformer(onCard: precision(nil) != .float32, prepared: prepared)
    }

    /// The device, computing a transformer with this precision. Throws as `open`.
    public func open(transformer precision: Precision) throws -> any Device {
        try open(activations: precision.activationType, matrices: precision.narrowType)
    }

    /// How a run on the opened device shares its memory, or that of the limit, which is then set apart for it, but leaves so many
    /// bytes of a card to others; nil on a processor without a limit. Throws `PlanRefusal` where it cannot fit.
    public func plan(
        _ request: PlanRequest, on device: any Device, leaving spared: ByteCount? = nil
    ) throws -> MemoryPlan? {
        guard memoryLimit != nil || device is any MemoryReserving else { return nil }
        let plan = try MemoryPlan(
            request,
            at: PlanPlace(
                of: device, limit: memoryLimit?.bytes, leaving: spared?.bytes ?? 0),
            sizeOption: "encode-vae --size")
        if isTold(plan) { try (device as? any MemoryReserving)?.reserve(plan.tensorBytes) }
        return plan
    }

    /// Whether a plan is worth telling: there is a limit, or something is streamed.
    public func isTold(_ plan: MemoryPlan) -> Bool {
        memoryLimit != nil || plan.residency != .resident
    }
}
