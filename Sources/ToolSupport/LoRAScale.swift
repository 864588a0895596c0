import ArgumentParser
import Stages

/// Throws `ValidationError` if `--lora-scale` is no number, or was given without a `--lora`.
public func checkScale(_ scale: Float, of lora: String?) throws(ValidationError) {
    guard scale.isFinite else { throw ValidationError("--lora-scale must be a number.") }
    if lora == nil, scale != DenoisingOptions().loraScale {
        throw ValidationError("--lora-scale goes with --lora.")
    }
}
