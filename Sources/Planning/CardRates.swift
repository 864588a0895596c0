import Compute
import Tensors

/// How fast a card is at what a denoiser does, and where each figure comes from.
public struct CardRates: Hashable, Sendable {
    /// The name as in `--card`.
    public let name: String
    /// What NVIDIA calls it, as far as it tells the card from others.
    public let cardName: String
    /// Its compute capability: ten times the major number plus the minor.
    public let architecture: Int
    /// Multiplications and additions a second of large products, by the type of the matrix; none for what the card or its
    /// libraries do not offer.
    public let products: [DataType: Double]
    /// The same of attention, by the type of keys and values.
    public let attention: [DataType: Double]
    /// Bytes a second that operations bound by memory read and write.
    public let memory: Double
    /// Bytes a second from pinned memory of the host to the card, and the other way.
    public let link: Double
    /// Seconds that a step takes for each operation beside its work.
    public let perOperation: Double
    /// Where the figures come from, in one line.
    public let source: String

    /// Seconds that operations of these profiles take one after the other; nil if the card does not offer one of them.
    func seconds(of operations: [OperationProfile], activations: DataType) -> Double? {
        var sum = 0.0
        for operation in operations {
            guard let seconds = seconds(of: operation, activations) else { return nil }
            sum += seconds
        }
        return sum
    }

    private func seconds(of operation: OperationProfile, _ activations: DataType) -> Double? {
        var moving = Double(operation.bytes) / memory
        let overhead = Double(operation.calls) * perOperation
        let names = operation.operation.split(separator: " ").map(String.init)
        let rates = ["linear": products, "attention": attention][names[0]]
        guard let rates else { return moving + overhead }
        let narrow = [DataType.float8E4M3, .int8].first { names.contains($0.description) }
        let isWidened = names[0] == "attention" && narrow.map { rates[$0] == nil } ?? false
        // Operands are read, and written and read again in a type of twice their bytes.
        if isWidened { moving += 5 * Double(operation.bytes) / memory }
        let type = isWidened ? activations : narrow ?? activations
        guard let rate = rates[type] else { return nil }
        return max(moving, Double(operation.flops) / rate) + overhead
    }
}

// MARK: - Cards

extension CardRates {
    /// The card of that name.
    public static func named(_ name: String) -> CardRates? { known.first { $0.name == name } }

    /// The card that NVIDIA's name means, as in "NVIDIA H200".
    public static func card(called name: String) -> CardRates? {
        let found = words(of: name)
        // A card of laptops is another one than that of the same number.
        guard !found.contains("Laptop") else { return nil }
        return known.first { rates in
            let wanted = words(of: rates.cardName)
            return found.indices.contains { found[$0...].starts(with: wanted) }
        }
    }

    private static func words(of name: String) -> [Substring] {
        name.split { !$0.isLetter && !$0.isNumber }
    }

    /// Every card whose rates are known or estimated.
    public static let known = [h200] + published.map(\.rates)

    /// Measured: denoising steps of the published sizes at 704x384, in Benchmarks/SPEED.md. Products and memory are from profiles: in
    /// bfloat16 (2026-11-21) 79.7 TFLOP of products took 108.1 ms, 27 GB of other operations 8.4 ms; in 8 bits (2026-11-28) the products
    /// took 57.8 ms with float8_e4m3 and 67.4 ms with int8 matrices, rounding of their inputs included, and `perOperation` is taken off
    /// before these are made rates.
    ///
    /// Attention is fitted to whole steps with this project's kernel (2026-11-28): at these rates its 39.7 TFLOP take 63.6 ms in
    /// bfloat16 and 44.7 ms in 8 bits, and steps for which cards took 186.5 to 193.7, 137.9 to 140.0 (8-bit matrices) and 118.5 to 119.4
    /// ms (windows, too) take 193.4, 139.7 and 120.3 ms. Profiles have 58.9 and 41.5 ms of attention, as the card is cooler there than in
    /// a step.
    public static let h200 = CardRates(
        name: "h200", cardName: "H200", architecture: 90,
        products: [
            .bfloat16: 737e12, .float8E4M3: 1446e12, .int8: 1232e12,
        ],
        attention: [.bfloat16: 624e12, .float8E4M3: 889e12],
        memory: 3.2e12, link: 55e9, perOperation: 9e-6,
        source: "measured on an H200: whole steps in bfloat16 and in 8 bits")
}

/// What a vendor's data sheet says of a card.
private struct DataSheet {
    let name: String
    let cardName: String
    /// As in `CardRates`.
    let architecture: Int
    /// TFLOP/s of dense products with float32 sums.
    let bfloat16: Double
    /// The same in 8-bit floats; nil if there are none.
    let float8: Double?
    /// TOP/s of dense products of 8-bit integers.
    let int8: Double
    /// GB/s of the card's memory.
    let memory: Double
    /// Bytes a second of the link: 55 GB/s was measured for PCIe 5 with 16 lanes, half of that is taken for PCIe 4.
    let link: Double

    /// The data sheet times the share of its own that an H200 reaches in a step: 737 of 989 TFLOP/s in products, 3.2 of 4.8 TB/s; in
    /// attention 624 of 989, and 889 of 1979 in 8 bits, or 545 of 989 by cuDNN, which serves other cards than Hopper's.
    var rates: CardRates {
        let product = 737.0 / 989
        let isHopper = architecture == 90
        let attention = (isHopper ? 624.0 : 545.0) / 989
        let moving = 3.2 / 4.8
        var products: [DataType: Double] = [
            .bfloat16: bfloat16 * product * 1e12, .int8: int8 * product * 1e12,
        ]
        products[.float8E4M3] = float8.map { $0 * product * 1e12 }
        var attentions: [DataType: Double] = [.bfloat16: bfloat16 * attention * 1e12]
        if isHopper { attentions[.float8E4M3] = float8.map { $0 * 889 / 1979 * 1e12 } }
        return CardRates(
            name: name, cardName: cardName, architecture: architecture, products: products,
            attention: attentions, memory: memory * moving * 1e9, link: link, perOperation: 9e-6,
            source: "estimated: the data sheet times the share that an H200 reaches of its own")
    }
}

extension CardRates {
    private static let pcie5 = 55e9
    private static let pcie4 = 25e9

    /// From NVIDIA's data sheets and architecture papers.
    private static let published = [
        DataSheet(
            name: "h100", cardName: "H100", architecture: 90, bfloat16: 989, float8: 1979,
            int8: 1979, memory: 3350, link: pcie5),
        DataSheet(
            name: "a100", cardName: "A100", architecture: 80, bfloat16: 312, float8: nil, int8: 624,
            memory: 2039, link: pcie4),
        DataSheet(
            name: "l40s", cardName: "L40S", architecture: 89, bfloat16: 362, float8: 733, int8: 733,
            memory: 864, link: pcie4),
        DataSheet(
            name: "l4", cardName: "L4", architecture: 89, bfloat16: 121, float8: 242, int8: 242,
            memory: 300, link: pcie4),
        DataSheet(
            name: "a10", cardName: "A10", architecture: 86, bfloat16: 125, float8: nil, int8: 250,
            memory: 600, link: pcie4),
        DataSheet(
            name: "rtx-3090", cardName: "RTX 3090", architecture: 86, bfloat16: 71, float8: nil,
            int8: 284, memory: 936, link: pcie4),
        DataSheet(
            name: "rtx-4090", cardName: "RTX 4090", architecture: 89, bfloat16: 165.2,
            float8: 330.3, int8: 660.6, memory: 1008, link: pcie4),
        DataSheet(
            name: "rtx-5090", cardName: "RTX 5090", architecture: 120, bfloat16: 209.5, float8: 419,
            int8: 838, memory: 1792, link: pcie5),
    ]
}
