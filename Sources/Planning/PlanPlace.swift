import Compute
import Tensors

/// Where a process runs.
public struct PlanPlace: Hashable, Sendable {
    /// As it is named in the plan: "cuda:0", "cpu", "22.15GiB".
    public var name: String
    /// Bytes that the process may hold there; nil for no limit.
    public var limit: Int?
    /// What a card holds beside tensors; nil for the processor, which has no memory apart and streams nothing.
    public var overhead: CardOverhead?
    /// How fast the card is; nil if that is not known.
    public var rates: CardRates?
    /// The card's abilities where it was asked; nil for those of cards with these rates.
    public var abilities: CardAbilities?
    /// Bytes of memory of a card's machine; nil if it is not known.
    public var hostMemory: Int?
    /// What the processor does, if it is one.
    public var processor = ProcessorAbilities(threads: 64)

    /// A place.
    public init(name: String, limit: Int?, overhead: CardOverhead?, rates: CardRates?) {
        self.name = name
        self.limit = limit
        self.overhead = overhead
        self.rates = rates
    }

    /// What a card there does; nil for the processor.
    var card: CardAbilities? {
        guard overhead != nil else { return nil }
        return abilities ?? rates.map { CardAbilities(architecture: $0.architecture) } ?? .hopper
    }

    /// What operations need there.
    var workspaces: OperationWorkspaces {
        card.map { .card($0) } ?? .processor(processor)
    }

    /// Whether it multiplies matrices of this type.
    func offers(_ matrixType: DataType) -> Bool {
        matrixType != .float8E4M3 || card?.multipliesFloat8 ?? true
    }

    /// Whether windows of 8 bits are widened there for each call of attention.
    func widensAttention(of request: PlanRequest) -> Bool {
        let head = request.model.configuration.head
        return request.windowType == .float8E4M3 && card?.hasNarrowAttention(head: head) == false
    }

    /// Bytes of a process there whose tensors need so many.
    func processBytes(tensors: Int) -> Int {
        guard let overhead else { return tensors }
        let granule = CardOverhead.granule
        return tensors.roundedUp(to: granule) + overhead.bytes
    }
}
