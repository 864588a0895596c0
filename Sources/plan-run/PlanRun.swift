import Compute
import Denoiser
import Planning
@main struct PlanRun { static func main() throws {
    func plan(_ w: Int,_ h: Int,_ s: Int,_ p: PlanPrecision,_ a: PlanAttention,_ l: Int?) throws {
        let r = PlanRequest(model: .published, grid: LatentGrid(height: h/8, width: w/8, clipFrames: 12), steps: s, precision: p, attention: a)
        do {
        let m = try MemoryPlan(r, at: PlanPlace(name: "x", limit: l, overhead: CardOverhead(), rates: .h200))
        print(w,h,s,p,a,l ?? 0, m.groups, m.totalBytes, m.minimumBytes, m.linkBytes, m.seconds as Any, m.residency.streamedWindows.map(\.count), m.residency.streamedLayers.count)
        } catch { print(error) }
    }
    try plan(704,384,1,.bfloat16,.activations,nil)
    try plan(384,256,1,.bfloat16,.activations,nil)
    try plan(704,384,4,.float8,.float8,22680000*1050)
} }
