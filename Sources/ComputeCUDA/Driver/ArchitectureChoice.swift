/// The architecture whose paths a card takes: its own, or that of an older one for which it stands in.
///
/// `CUDA_ARCHITECTURE=sm_86` lets any newer card compute with the kernels, library calls and plans of an RTX 3090, so that they
/// can be checked where there is no such card. Libraries still choose their own kernels for the card that is there.
package struct ArchitectureChoice: Hashable, Sendable {
    /// The compute capability as in `sm_90`: ten times the major number plus the minor.
    package let architecture: Int
    /// Whether it is not the card's own: kernels are compiled for it, and by the driver for the card.
    package let isStandIn: Bool

    package static let variable = "CUDA_ARCHITECTURE"

    /// The architecture that is asked for, as in `sm_86`, on a card with its `own`. Throws the reason why it cannot be had.
    package init(own: Int, oldest: Int, asked: String?) throws(Refusal) {
        guard let asked, !asked.isEmpty else {
            architecture = own
            isStandIn = false
            return
        }
        let prefix = "sm_"
        guard asked.hasPrefix(prefix), let number = Int(asked.dropFirst(prefix.count)),
            (oldest...own).contains(number)
        else {
            throw Refusal(
                reason: "\(Self.variable) is '\(asked)', and sm_\(oldest) to sm_\(own) are possible"
            )
        }
        architecture = number
        isStandIn = number != own
    }

    /// Why a card does not compute as another.
    package struct Refusal: Error, Hashable {
        package let reason: String
    }
}
