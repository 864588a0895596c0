/// The architecture whose paths a card takes: its own, or that of an older one for which it stands in.
///
/// `CUDA_ARCHITECTURE=sm_86` lets any newer card compute with the kernels, library calls and plans of an RTX 3090, so that they
/// can be checked where there is no such card. Libraries still choose their own kernels for the card that is there.
package struct ArchitectureChoice: Hashable, Sendable {
    /// The compute capability as in `sm_90`: ten times the major number plus the minor.
    package let architecture: Int
    /// Whether it is not the card's own: kernels are compiled for it, and by the driver for the card.
    package let isStandIn: Bool

    /// The variable of the environment that asks for another.
    package static let variable = "CUDA_ARCHITECTURE"

    /// Hopper's own instructions run on no other card.
    private static let hopper = 90

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
        guard number == own || number != Self.hopper else {
            throw Refusal(
                reason: "\(Self.variable) is '\(asked)', whose kernels run on no other card")
        }
        architecture = number
        isStandIn = number != own
    }

    /// The name that a compiler is told.
    package var name: String {
        guard !isStandIn else { return "compute_\(architecture)" }
        return "sm_\(architecture)" + (architecture == Self.hopper ? "a" : "")
    }

    /// What a compiler that knows these architectures can make for it: the same, or where the card is newer than the compiler the
    /// newest of them that is older.
    package func known(among known: [Int]) -> ArchitectureChoice {
        guard !known.contains(architecture),
            let newest = known.filter({ $0 < architecture }).max()
        else { return self }
        return ArchitectureChoice(architecture: newest, isStandIn: true)
    }

    private init(architecture: Int, isStandIn: Bool) {
        self.architecture = architecture
        self.isStandIn = isStandIn
    }

    /// Why a card does not compute as another.
    package struct Refusal: Error, Hashable {
        package let reason: String
    }
}
