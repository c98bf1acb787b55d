"""The vocabulary of simulated prose, by language and part of speech.

language tag -> `Vocabulary`

Knows words only: `prose` makes sentences of them. Every Chinese, Japanese and Korean noun has two
characters, every Japanese and Korean adjective three, so that the length of a sentence is known
before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The open word classes of one language."""

    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]
    adverbs: tuple[str, ...]


def _vocabulary(nouns: str, verbs: str, adjectives: str, adverbs: str) -> Vocabulary:
    return Vocabulary(*(tuple(words.split()) for words in (nouns, verbs, adjectives, adverbs)))


ENGLISH = _vocabulary(
    nouns="""
    account agreement alliance ambition analysis answer archive argument army artist assembly
    audience balance barrier basin battle beginning belief border bridge budget builder calendar
    campaign canal capital caravan cathedral century ceremony challenge change channel chapter
    character charter city climate coast colony column committee community company conflict
    congress contract council country craft crisis crop culture current custom dealer debate
    decade decision defense delegate desert design detail device dialogue diary dispute district
    doctrine document drought duty dynasty economy edition effort election emperor empire engine
    engineer episode era estate event evidence example exchange expedition experiment factory
    failure family famine farmer fashion festival field figure fleet forest fortress foundation
    framework frontier future garden gate generation government grain group growth guard guild
    harbor harvest heritage highway history household idea image industry inquiry institution
    invention island journal journey judge kingdom laboratory language law leader league lecture
    legend lesson letter library limit machine manual map market measure memory merchant message
    method migration mill mine minister mission model monument mountain movement museum network
    newspaper novel observer office opinion orchard order origin outcome painter palace paper
    partner passage pattern peasant people period philosophy pioneer plain plan poem policy
    population port practice press price priest principle printer prison problem process product
    profession project proposal province public purpose quarter question railway record reform
    region religion remedy report republic research reserve resource result revolt ritual river
    road route rule sailor scholar school science sculpture season senate service settlement
    shipyard signal society soldier source speech standard state statue story strategy street
    student study summary supply survey symbol system task teacher technique temple territory text
    theater theory title tower town trade tradition translation traveler treasury treaty tribe
    union university valley vessel victory village vision voyage wall warehouse weather winter
    witness workshop worker writer
    """,
    verbs="""
    absorbs accepts adapts admires adjusts admits affects anchors answers approaches arranges
    attracts avoids balances blocks borrows bridges builds carries celebrates challenges changes
    checks clarifies collects combines compares completes confirms confronts connects considers
    contains controls converts copies corrects creates crosses defends defines delays demands
    describes designs develops directs discovers discusses displays divides doubles enriches
    enters examines exceeds excludes expands explains explores exposes extends finances follows
    forms founds frames governs guides heals hides honors ignores illustrates imitates improves
    includes influences informs inherits inspires invites joins judges justifies leads limits
    maintains marks matches measures mentions modifies moves needs observes obtains offers opens
    opposes organizes outlines outlives overlooks passes permits praises precedes predicts
    prefers prepares presents preserves prevents produces promises protects proves provides
    publishes questions reaches rebuilds recalls receives records reduces reflects reforms
    refuses regulates rejects remembers renews repairs replaces represents rescues resembles
    resists restores retains reveals reverses revises rewards secures sees selects serves shapes
    shares shelters shows signals simplifies solves spreads stabilizes strengthens studies
    suggests supports surrounds survives teaches tests tolerates transforms translates unites
    values visits warns weakens welcomes
    """,
    adjectives="""
    abundant active ambitious ancient annual bitter bold brief bright broad broken busy calm
    careful central cheap civil clear coastal cold common complex constant costly crowded curious
    daily deep delicate dense direct distant double dry durable early eastern elaborate elegant
    empty enormous entire essential exact faithful familiar famous fertile final firm foreign
    formal fragile free fresh generous gentle golden gradual grand harsh heavy hidden hollow
    honest humble ideal imperial inner joint keen large lasting late legal limited literary local
    lonely loyal major maritime medieval mild minor modern modest moral mutual narrow native
    neutral new noble northern notable open ordinary outer painted patient peaceful permanent
    plain polite popular powerful practical precise private prominent proud public quiet rapid
    rare regional remote rich rigid royal rural sacred secret secular separate serious severe
    shallow sharp silent simple slow small social solid southern spare stable steady strict
    strong subtle sudden temporary tender thorough typical uncertain unique urban useful vast
    violent visible vital warm wealthy western wide wild wise wooden young
    """,
    adverbs="""
    abruptly again almost already always barely boldly briefly calmly carefully clearly closely
    constantly directly easily eventually faithfully finally firmly formally freely gently
    gradually hardly hence indirectly jointly largely later mainly nearly never notably now often
    openly partly patiently perhaps plainly quickly quietly rarely readily repeatedly seldom
    silently simply slowly sometimes soon steadily still strongly suddenly then thereby usually
    widely willingly
    """,
)

CHINESE = _vocabulary(
    nouns="""
    城市 乡村 河流 山脉 海岸 港口 道路 桥梁 市场 商人 工匠 农民 学者 学校 书院 图书 文字 语言
    诗歌 故事 历史 时代 王朝 帝国 政府 法律 制度 政策 官员 军队 士兵 将领 边境 战争 和平 条约
    联盟 使者 贸易 货物 丝绸 瓷器 茶叶 粮食 土地 水利 灌溉 工程 技术 机器 工厂 铁路 船只 航线
    地图 天文 数学 医学 药材 疾病 宗教 寺庙 僧侣 哲学 思想 道德 礼仪 音乐 绘画 雕塑 建筑 宫殿
    园林 花园 森林 草原 沙漠 岛屿 气候 季节 风俗 节日 家庭 婚姻 儿童 青年 教师 学生 知识 经验
    方法 理论 实验 证据 观点 问题 答案 原因 结果 过程 计划 目标 任务 项目 组织 机构 公司 银行
    货币 价格 税收 预算 资源 能源 煤炭 石油 电力 网络 信息 数据 报纸 杂志 作家 读者 记者 译者
    档案 文献 遗产 博物 传统 现代 社会 人口 移民 群体 阶层 权力 责任 自由 竞争 合作 冲突 改革
    革命 危机 机会 挑战 环境 生态 动物 植物 种子 果实 海洋 湖泊 平原 峡谷 村庄 街道 广场 车站
    旅客 邻居 朋友 领袖 代表 议会 法院 公民 民族 部落 祖先 后代 记忆 梦想 声音 光线 色彩 形式
    结构 系统 模型 标准 规则 边界 中心 细节 整体 变化
    """,
    verbs="""
    影响 改变 推动 促进 支持 保护 建立 创造 发展 维持 控制 管理 组织 引导 吸引 连接 分隔 穿越
    围绕 进入 离开 接近 超越 替代 补充 完善 修正 恢复 继承 传播 记录 描述 解释 分析 研究 考察
    比较 衡量 评价 批评 赞美 反映 象征 代表 塑造 丰富 充实 扩大 缩小 限制 阻碍 打破 适应 接受
    拒绝 选择 寻找 发现 证明 揭示 掩盖 保留 放弃 利用 节约 消耗 提供 获得 分享 交换 运输 生产
    加工 设计 修建 装饰 守护 依靠 鼓励 帮助 教育 启发 警告 提醒 承认 尊重 理解 欣赏 关注 忽视
    重视 决定 推迟 加速 延续 结束 开启 参与 见证 容纳
    """,
    adjectives="""
    古老 年轻 重要 普通 复杂 简单 繁荣 衰落 稳定 动荡 富裕 贫穷 广阔 狭窄 遥远 邻近 安静 热闹
    深刻 浅显 独特 常见 精美 粗糙 坚固 脆弱 明亮 昏暗 温暖 寒冷 干燥 湿润 丰富 稀少 公开 秘密
    正式 临时 长久 短暂 积极 消极 严格 宽松 开放 封闭 勇敢 谨慎 诚实 聪明 勤劳 善良 美丽 神秘
    著名 陌生 熟悉 崭新 陈旧 庞大 微小 沉重 轻便 清晰 模糊 准确 完整 零散 统一 多样 自然 平凡
    伟大 谦逊 柔和 激烈 缓慢 迅速 持久 真实
    """,
    adverbs="""
    逐渐 不断 经常 始终 往往 已经 曾经 仍然 依然 再次 首先 最终 突然 悄悄 明显 深深 广泛 直接
    间接 主动 共同 分别 一直 终于 早已 大致 尤其 格外 几乎 同时
    """,
)

JAPANESE = _vocabulary(
    nouns="""
    都市 農村 河川 山脈 海岸 港湾 道路 橋梁 市場 商人 職人 農民 学者 学校 書物 文字 言語 詩歌
    物語 歴史 時代 王朝 帝国 政府 法律 制度 政策 役人 軍隊 兵士 武将 国境 戦争 平和 条約 同盟
    使者 貿易 貨物 絹糸 陶器 茶葉 穀物 土地 水路 工事 技術 機械 工場 鉄道 船舶 航路 地図 天文
    数学 医学 薬草 病気 宗教 寺院 僧侶 哲学 思想 道徳 礼儀 音楽 絵画 彫刻 建築 宮殿 庭園 森林
    草原 砂漠 島々 気候 季節 風習 祭礼 家庭 結婚 子供 若者 教師 学生 知識 経験 方法 理論 実験
    証拠 視点 問題 解答 原因 結果 過程 計画 目標 課題 事業 組織 機関 会社 銀行 通貨 価格 税金
    予算 資源 燃料 石炭 石油 電力 通信 情報 資料 新聞 雑誌 作家 読者 記者 訳者 記録 文献 遺産
    伝統 社会 人口 移民 集団 階層 権力 責任 自由 競争 協力 対立 改革 革命 危機 機会 試練 環境
    生態 動物 植物 種子 果実 海洋 湖沼 平野 渓谷 村落 街路 広場 駅舎 旅人 隣人 友人 指導 代表
    議会 法廷 市民 民族 部族 祖先 子孫 記憶 理想 音色 光線 色彩 形式 構造 体系 模型 基準 規則
    境界 中心 細部 全体 変化 材料 道具 食卓 衣服 住居 灯台 倉庫 牧場 果樹 温泉
    """,
    verbs="""
    影響 変更 推進 促進 支持 保護 設立 創造 開発 維持 制御 管理 編成 誘導 連結 分割 横断 包囲
    接近 超越 代替 補足 改善 修正 回復 継承 伝達 記録 描写 解説 分析 研究 調査 比較 測定 評価
    批判 称賛 反映 象徴 代表 形成 拡大 縮小 制限 妨害 打破 受容 拒否 選択 探索 発見 証明 解明
    隠蔽 保存 放棄 利用 節約 消費 提供 獲得 共有 交換 運搬 生産 加工 設計 建設 装飾 防衛 信頼
    激励 援助 教育 啓発 警告 承認 尊重 理解 鑑賞 注目 無視 重視 決定 延期 加速 継続 開始 確認
    整理 収集 公開 紹介 翻訳 観察 想像 期待 準備 統合
    """,
    adjectives="""
    新しい 美しい 正しい 大きな 小さな 静かな 豊かな 確かな 明るい 冷たい 優しい 厳しい 激しい
    珍しい 貧しい 忙しい 楽しい 苦しい 寂しい 詳しい 親しい 難しい 険しい 涼しい 眩しい 細かい
    暖かい 柔かい 四角い 見事な 主要な 貴重な 重要な 複雑な 単純な 特別な 普通の 有名な 無名の
    古代の 近代の 中世の 地方の 中央の 公共の 個人の 共通の 独自の 独特の 多様な 自然な 正確な
    完全な 安全な 危険な 急速な 素朴な 素直な 勇敢な 慎重な 誠実な 賢明な 勤勉な 華麗な 神秘の
    遠方の 近隣の 巨大な 微細な 明確な
    """,
    adverbs="""
    常に 特に 既に 更に 共に 主に 実に 時折 再び 必ず 全て 多く 深く 広く 強く 早く 長く 正に
    次に 後に 仮に 現に 概ね 今も 昔も 先に 度々 日々 年々 堅く
    """,
)

KOREAN = _vocabulary(
    nouns="""
    도시 농촌 하천 산맥 해안 항구 도로 교량 시장 상인 장인 농민 학자 학교 서적 문자 언어 시가
    소설 역사 시대 왕조 제국 정부 법률 제도 정책 관리 군대 병사 장군 국경 전쟁 평화 조약 동맹
    사신 무역 화물 비단 도자 곡물 토지 수로 공사 기술 기계 공장 철도 선박 항로 지도 천문 수학
    의학 약초 질병 종교 사원 승려 철학 사상 도덕 예절 음악 회화 조각 건축 궁전 정원 삼림 초원
    사막 섬들 기후 계절 풍속 축제 가정 결혼 아동 청년 교사 학생 지식 경험 방법 이론 실험 증거
    관점 문제 해답 원인 결과 과정 계획 목표 과제 사업 조직 기관 회사 은행 화폐 가격 세금 예산
    자원 연료 석탄 석유 전력 통신 정보 자료 신문 잡지 작가 독자 기자 기록 문헌 유산 전통 사회
    인구 집단 계층 권력 책임 자유 경쟁 협력 갈등 개혁 혁명 위기 기회 환경 생태 동물 식물 씨앗
    열매 바다 호수 평야 계곡 마을 거리 광장 나라 친구 대표 의회 시민 민족 조상 기억
    """,
    verbs="""
    변경 추진 촉진 지지 보호 설립 창조 개발 유지 제어 관리 편성 유도 연결 분할 횡단 포위 초월
    대체 보완 개선 수정 회복 계승 전달 기록 묘사 설명 분석 연구 조사 비교 측정 평가 비판 칭찬
    반영 상징 대표 형성 확대 축소 제한 방해 수용 거부 선택 탐색 발견 증명 규명 보존 포기 이용
    절약 소비 제공 획득 공유 교환 운반 생산 가공 설계 건설 장식 방어 신뢰 격려 원조 교육 경고
    승인 존중 이해 감상 주목 무시 결정 연기
    """,
    adjectives="""
    새로운 조용한 다양한 중요한 오래된 풍부한 확실한 거대한 단순한 복잡한 특별한 평범한 유명한
    고대의 근대의 중세의 지방의 중앙의 공공의 개인의 공통의 독특한 정확한 완전한 안전한 위험한
    신속한 소박한 용감한 신중한 성실한 현명한 근면한 화려한 신비한 머나먼 미세한 명확한 따뜻한
    차가운 강력한 뛰어난 엄격한 치열한 희귀한 가난한 부유한 겸손한 위대한 순수한
    """,
    adverbs="""
    항상 매우 다시 함께 자주 먼저 결국 점차 이미 아직 거의 특히 주로 때로 오래 널리 깊이 빨리
    직접 서로
    """,
)

VOCABULARIES = {"en": ENGLISH, "zh": CHINESE, "ja": JAPANESE, "ko": KOREAN}
