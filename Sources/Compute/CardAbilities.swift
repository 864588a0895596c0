/// What the libraries of a card do with tensors of 8 bits, and where they may work, by its architecture.
public struct CardAbilities: Hashable, Sendable {
    /// The compute capability as in `sm_90`: ten times the major number plus the minor.
    public let architecture: Int

    /// Whether cuBLASLt knows scales of rows and columns: it does from 12.9 on.
    public var knowsRowScales = true
    /// Whether cuDNN is there and attends in one operation.
    public var attendsByLibrary = true

    /// The abilities of cards of that architecture, with libraries of today.
    public init(architecture: Int) { self.architecture = architecture }

    /// Those of Hopper.
    public static let hopper = CardAbilities(architecture: 90)

    /// Bytes in which a product may work, what cuBLASLt is allowed: its own sizes, as Hopper's and later cards' kernels gain from
    /// more.
    public var productBytes: Int { architecture >= 90 ? 32 << 20 : 4 << 20 }
    /// Whether the card multiplies float8_e4m3.
    public var multipliesFloat8: Bool { architecture >= 89 }
    /// Whether products of float8_e4m3 multiply with the scales of rows and columns themselves: cuBLASLt promises that for Hopper
    /// alone. Elsewhere they may need their sums apart.
    public var scalesInProduct: Bool { architecture == 90 && knowsRowScales }
    /// Whether cuBLASLt may be asked for that: it has it for no card before Hopper.
    public var mayScaleInProduct: Bool { architecture >= 90 && knowsRowScales }
    /// Whether this project's kernel attends to float8_e4m3 with heads of so many channels; elsewhere copies in the activations'
    /// type are attended to.
    public func hasNarrowAttention(head: Int) -> Bool {
        architecture == 90 && head == AttentionShares.head
    }
}
