import Compute
import Denoiser
import Foundation
import Tensors

/// A run that a device cannot hold or compute, in one line.
public struct PlanRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// Bytes that lack; nil if bytes are not what lacks.
    public let lacking: Int?

    /// A request for which bytes lack, and the nearest setting that would do.
    init(_ request: PlanRequest, at place: PlanPlace, lacking: Int, hint: String?) {
        self.lacking = lacking
        let needed = (place.limit ?? 0) + lacking
        description =
            "cannot denoise \(request.summary) on '\(place.name)': it needs at least"
            + " \(gibibytes(needed)) (\(needed) bytes), \(gibibytes(lacking)) (\(lacking) bytes)"
            + " more than there are" + (hint.map { "; \($0) would fit" } ?? "")
    }

    /// A request for products in a type that a card does not offer.
    init(unoffered matrixType: DataType, by card: String) {
        lacking = nil
        description =
            "cannot denoise on '\(card)': it offers no products in \(matrixType) (--precision)"
    }
}

/// So many bytes or a little more, as limits are typed: two decimals, rounded up.
func gibibytes(_ bytes: Int) -> String {
    let hundredth = Double(1 << 30) / 100
    return String(format: "%.2f GiB", (Double(bytes) / hundredth).rounded(.up) / 100)
}

extension PlanRequest {
    /// Width and height of the picture in pixels.
    var pictureSize: (width: Int, height: Int) { (grid.width * 8, grid.height * 8) }

    private var windows: String {
        attention == .activations && precision == .float32
            ? precision.rawValue : attention.rawValue
    }

    /// The size, steps and types, in a few words.
    var summary: String {
        "\(pictureSize.width)x\(pictureSize.height) in \(steps == 1 ? "1 step" : "\(steps) steps")"
            + " with \(precision.rawValue) weights and \(windows) windows"
    }
}

/// The setting nearest to a request that fits a place.
struct PlanHint: CustomStringConvertible {
    let description: String

    /// Tries narrower types at the same size, then smaller pictures of the same form, which `sizeOption` makes; nil if nothing
    /// fits.
    init?(_ request: PlanRequest, at place: PlanPlace, sizeOption: String) throws {
        for (precision, attention) in Self.types(for: request, at: place) {
            var narrower = request
            (narrower.precision, narrower.attention) = (precision, attention)
            if try Self.fits(narrower, place) {
                description = Self.options(narrower, differingFrom: request)
                return
            }
        }
        guard let smaller = try Self.smaller(request, place) else { return nil }
        let types = Self.options(smaller, differingFrom: request)
        let size = smaller.pictureSize
        description =
            (types.isEmpty ? "" : types + " with ") + "\(sizeOption) \(size.width)x\(size.height)"
    }

    /// Types that need fewer bytes and that the place offers, the nearest first.
    private static func types(
        for request: PlanRequest, at place: PlanPlace
    ) -> [(Precision, AttentionType)] {
        let matrices: [Precision] = [.bfloat16, place.overhead == nil ? .int8 : .float8, .int8]
        let candidates = matrices.flatMap { precision in
            [AttentionType.activations, .float8].map { (precision, $0) }
        }
        return candidates.filter { precision, attention in
            let isNarrower =
                precision.matrixType.size < request.precision.matrixType.size
                || precision == request.precision
            return isNarrower && place.offers(precision.matrixType)
                && (attention == .float8 || request.attention != .float8)
        }
    }

    /// The largest picture of the same form, with the narrowest types that fit it, in sixteenths of the sides.
    private static func smaller(
        _ request: PlanRequest, _ place: PlanPlace
    ) throws -> PlanRequest? {
        let types = [(request.precision, request.attention)] + types(for: request, at: place)
        let narrowest = types[types.count - 1]
        var (fitting, failing) = (4, 16)
        guard try fits(request.scaled(by: fitting, narrowest), place) else { return nil }
        while failing - fitting > 1 {
            let middle = (fitting + failing) / 2
            let isEnough = try fits(request.scaled(by: middle, narrowest), place)
            (fitting, failing) = isEnough ? (middle, failing) : (fitting, middle)
        }
        for type in types.dropLast() {
            let smaller = request.scaled(by: fitting, type)
            if try fits(smaller, place) { return smaller }
        }
        return request.scaled(by: fitting, narrowest)
    }

    private static func fits(_ request: PlanRequest, _ place: PlanPlace) throws -> Bool {
        do {
            _ = try MemoryPlan(
                request, at: place, dryRun: DryRun(request, workspaces: place.workspaces),
                sizeOption: nil)
            return true
        } catch is PlanRefusal {
            return false
        }
    }

    private static func options(
        _ request: PlanRequest, differingFrom other: PlanRequest
    ) -> String {
        [
            request.precision == other.precision
                ? nil : "--precision \(request.precision.rawValue)",
            request.attention == other.attention
                ? nil : "--attention \(request.attention.rawValue)",
        ].compactMap(\.self).joined(separator: " ")
    }
}

extension PlanRequest {
    /// The same for a picture whose sides are so many sixteenths, in other types.
    fileprivate func scaled(
        by sixteenths: Int, _ types: (precision: Precision, attention: AttentionType)
    ) -> PlanRequest {
        func side(_ latents: Int) -> Int { max(8, latents * sixteenths / 16 / 2 * 2) }
        var scaled = self
        scaled.grid = LatentGrid(
            height: side(grid.height), width: side(grid.width), clipFrames: grid.clipFrames)
        (scaled.precision, scaled.attention) = types
        return scaled
    }
}
