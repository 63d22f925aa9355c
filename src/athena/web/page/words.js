// What the page says, in English and Chinese.

const TEXTS = {
  create: ["Create", "创作"], gallery: ["Gallery", "图库"], run: ["Run the place", "管理"],
  prompt: ["What do you want to see?", "想看到什么？"], make: ["Make it", "开始绘制"],
  makeHint: ["Ctrl+Enter", "Ctrl+Enter"], aspect: ["Shape", "画幅"], version: ["Model", "模型"],
  stylize: ["Stylize", "风格化"], chaos: ["Chaos", "多样性"], weird: ["Weird", "怪异"],
  raw: ["Raw", "原始风格"], tileOn: ["Tile", "平铺"], speed: ["Speed", "速度"], no: ["Leave out", "不要出现"],
  seed: ["Seed", "种子"], quality: ["Quality", "质量"], asSet: ["as set", "默认"],
  fast: ["fast", "快速"], relax: ["relaxed", "慢速"], turbo: ["turbo", "极速"],
  pictures: ["Pictures", "参考图"], drop: ["Drop, paste or link pictures here", "拖入、粘贴或填写图片链接"],
  addFile: ["Choose files", "选择文件"], addLink: ["Add a link", "添加链接"], link: ["Link to a picture", "图片链接"],
  content: ["content", "内容"], style: ["style", "风格"], character: ["character", "角色"], omni: ["omni", "万能参考"],
  role: ["Used for", "用途"], remove: ["Remove", "移除"], more: ["More parameters", "更多参数"],
  imagine: ["Imagine", "文生图"], blend: ["Blend", "混图"], describe: ["Describe", "识图"],
  shorten: ["Shorten", "提示词精简"], swap: ["Swap a face", "换脸"], video: ["Film", "视频"],
  blendHint: ["Two to five pictures become one.", "将两到五张图片混合。"],
  describeHint: ["Four prompts that fit a picture.", "为图片找出四条提示词。"],
  shortenHint: ["Which words of a long prompt matter.", "找出长提示词中重要的词。"],
  swapHint: ["The face of the first picture goes into the second.", "把第一张图的脸换到第二张图。"],
  videoHint: ["A film of a text, or that begins with a picture.", "由文字或首帧图片生成视频。"],
  face: ["The face", "人脸图"], target: ["Into this picture", "目标图"], first: ["First frame", "首帧"],
  motion: ["Motion", "运动幅度"], high: ["high", "大"], low: ["low", "小"], loop: ["Loop", "循环"],
  taken: ["It is on its way.", "已提交。"], queued: ["Queued, {n} before it.", "排队中，前面还有 {n} 个。"],
  emptyTitle: ["Your first picture", "第一张图片"],
  emptyText: ["Write what you want to see and press “Make it”. It appears here within a moment.", "写下想看到的内容，点击“开始绘制”，很快就会出现在这里。"],
  nothing: ["Nothing fits. Change the filters.", "没有符合条件的任务。"], search: ["Search", "搜索"],
  anyState: ["Any state", "全部状态"], anyAction: ["Anything", "全部类型"], anyAccount: ["Any account", "全部账号"],
  since: ["From", "开始日期"], until: ["To", "结束日期"], clear: ["Clear", "清除"],
  NOT_START: ["waiting", "等待"], MODAL: ["window open", "待填写"], SUBMITTED: ["sent", "已发送"],
  IN_PROGRESS: ["drawing", "绘制中"], SUCCESS: ["done", "完成"], FAILURE: ["failed", "失败"], CANCEL: ["cancelled", "已取消"],
  offline: ["The line to the server is gone. It is being mended…", "与服务器的连接中断，正在恢复……"],
  close: ["Close", "关闭"], back: ["Previous", "上一个"], next: ["Next", "下一个"], whole: ["All four", "全部"],
  tile: ["Picture {n}", "第 {n} 张"], upscale: ["Upscale", "放大"], vary: ["Vary", "变化"], zoom: ["Zoom", "缩放"],
  pan: ["Pan", "平移"], animate: ["Animate", "动画"], other: ["More", "更多"],
  kind: ["Kind", "类型"], filters: ["Filters", "筛选"], reroll: ["Reroll", "重新生成"], left_: ["Left", "左"], right_: ["Right", "右"], up_: ["Up", "上"], down_: ["Down", "下"],
  copyPrompt: ["Copy prompt", "复制提示词"], copySeed: ["Copy seed", "复制种子"], copied: ["Copied: {text}", "已复制：{text}"],
  download: ["Download", "下载"], downloadTiles: ["Download all", "全部下载"], reuse: ["Use again", "再次使用"],
  forget: ["Remove from the list", "从列表移除"], cancelTask: ["Cancel", "取消"], retry: ["Try again", "重试"],
  lineage: ["Where it comes from", "来源与衍生"], parent: ["made from", "来自"], child: ["became", "衍生"],
  details: ["Details", "详情"], asDrawn: ["As drawn", "实际提示词"], account: ["Account", "账号"], mode: ["Mode", "模式"],
  asked: ["Asked", "提交时间"], took: ["Took", "耗时"], job: ["Job", "作业"], reason: ["Why", "原因"],
  askingSeed: ["Asking Midjourney for the seed…", "正在向 Midjourney 查询种子……"],
  remixTitle: ["Change the prompt", "修改提示词"], zoomTitle: ["Zoom out", "自定义缩放"], zoomFactor: ["How far: {n}×", "缩放倍数：{n}×"],
  regionTitle: ["Draw a region anew", "局部重绘"], brush: ["Brush", "画笔"], lasso: ["Lasso", "套索"], rectangle: ["Rectangle", "矩形"],
  undo: ["Undo", "撤销"], size: ["Size", "大小"], regionPrompt: ["What to draw there", "重绘内容"], send: ["Send", "提交"],
  maskEmpty: ["Mark something first.", "请先标记区域。"], canvas: ["Mark what is to be drawn anew", "标记要重绘的区域"],
  signIn: ["Sign in", "登录"], token: ["Token", "令牌"], tokenHint: ["The server's secret, or a token from `athena token create`.", "服务器密钥，或用 athena token create 创建的令牌。"],
  signOut: ["Sign out", "退出"], wrongToken: ["This token opens nothing.", "令牌无效。"],
  theme: ["Light or dark", "切换明暗"], chinese: ["中文", "English"], api: ["API", "API"],
  accounts: ["Accounts", "账号"], tokens: ["Tokens", "令牌"], tasks: ["Tasks", "任务"], hooks: ["Hooks", "回调"],
  figures: ["Figures", "统计"], settings: ["Settings", "设置"], add: ["Add", "添加"], edit: ["Edit", "编辑"], save: ["Save", "保存"],
  enable: ["Enable", "启用"], disable: ["Disable", "停用"], sync: ["Ask Midjourney", "同步"], reconnect: ["Connect again", "重新连接"],
  delete: ["Delete", "删除"], reallyDelete: ["Really delete {name}?", "确定删除 {name}？"],
  plan: ["Plan", "套餐"], hours: ["Fast hours", "快速时长"], slots: ["Running", "运行中"], queue: ["Waiting", "排队"],
  state: ["State", "状态"], name: ["Name", "名称"], never: ["never", "从不"], used: ["Used today", "今日用量"],
  guildId: ["Server ID", "服务器 ID"], channelId: ["Channel ID", "频道 ID"], userToken: ["Discord token", "Discord 令牌"],
  guildHint: ["Discord, Settings, Advanced, Developer Mode on; right-click the server, Copy Server ID.", "Discord 设置 › 高级 › 开发者模式；右键服务器，复制服务器 ID。"],
  channelHint: ["Right-click a channel that nothing else uses, Copy Channel ID.", "右键一个专用频道，复制频道 ID。"],
  tokenWhere: ["In a browser: discord.com, F12, Network, any request to /api: its header `authorization`. It is sealed on the server and never shown again. Automating a user account is against Discord's terms; the risk is yours.", "浏览器打开 discord.com，按 F12，网络，任一 /api 请求的 authorization 头。服务器会加密保存且不再显示。自动化用户账号违反 Discord 条款，风险自负。"],
  remark: ["Remark", "备注"], coreSize: ["Jobs at once", "并发数"], queueSize: ["Places to wait", "队列长度"], weight: ["Weight", "权重"],
  leaveEmpty: ["Leave empty to keep it.", "留空则不变。"],
  makeToken: ["Make a token", "创建令牌"], shownOnce: ["Shown this once. Keep it:", "仅显示一次，请保存："], roleOf: ["Role", "角色"],
  perMinute: ["Submits a minute", "每分钟次数"], perDay: ["Tasks a day", "每日任务数"], user: ["user", "用户"], reader: ["reader", "只读"], waiting: ["waiting, {n} before it", "等待中，前面 {n} 个"], admin: ["admin", "管理员"],
  hook: ["Hook", "回调地址"], answer: ["Answer", "应答"], tries: ["Tries", "尝试"], sendAgain: ["Send again", "重新发送"], noHooks: ["No hook was told yet.", "还没有回调。"],
  elsewise: ["cancelled or under way", "已取消或进行中"], perHour: ["Tasks per hour", "每小时任务"], rate: ["Success", "成功率"], median: ["Median", "中位耗时"], slowest: ["95 of 100 within", "95% 耗时"],
  failures: ["Why tasks failed", "失败原因"], noFailures: ["No task failed.", "没有失败的任务。"],
  links: ["Picture links", "图片链接"], linksHint: ["For calls that do not say it themselves, by token or path.", "用于未通过令牌或路径指定的请求。"],
  "links-origin": ["Discord's own, renewed before they die", "Discord 原始链接，自动续期"], "links-relay": ["This server's", "由本服务器转发"], "links-proxy": ["Discord's, on the host of the settings", "使用设置中的代理域名"],
  "rule-BestWaitIdle": ["The least loaded", "最空闲的账号"], "rule-Random": ["Any", "随机"], "rule-Weight": ["By lot, with their weights", "按权重随机"], "rule-Polling": ["In turns", "轮流"],
  asks: ["Prompt", "提示词"], expires: ["Valid until", "有效期至"], greeting: ["Pictures with your own Midjourney subscription.", "用你自己的 Midjourney 订阅创作图片。"],
  rule: ["Which account takes a task", "账号选择规则"], banned: ["Words to refuse, one a line", "违禁词，每行一个"], bannedHint: ["`-word` allows one of the built-in list. They count at once.", "“-词”可放行内置词。立即生效。"],
  saved: ["Saved.", "已保存。"], noServer: ["The server does not answer. Is it running?", "服务器无应答，请检查是否在运行。"],
  readOnly: ["Only administrators can see this.", "仅管理员可查看。"], loading: ["Loading…", "加载中……"], skip: ["To the content", "跳到内容"],
  shortcuts: ["Keys: N new, / search, arrows move, Enter opens, Esc closes", "快捷键：N 新建，/ 搜索，方向键移动，回车打开，Esc 关闭"],
  failedWhy: ["Failed: {text}", "失败：{text}"], noAccounts: ["No account yet. Add the first one.", "还没有账号，请先添加。"], seconds: ["{n} s", "{n} 秒"],
};

let chosen = localStorage.getItem("language")
  ?? (navigator.language.startsWith("zh") ? "zh" : "en");
document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";

export const language = () => chosen;

export function speak(name) {
  chosen = name;
  localStorage.setItem("language", name);
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
}

export function t(key, values = {}) {
  const text = (TEXTS[key] ?? [key, key])[chosen === "zh" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// What went wrong, with what to do.
export function why(error) {
  return error.status === 0 ? t("noServer") : error.message;
}
