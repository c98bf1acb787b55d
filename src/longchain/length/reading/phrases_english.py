"""The English phrases around a length.

`longchain.length.reading.phrases` describes each entry.
"""

from __future__ import annotations

from longchain.length.reading.phrases import Phrases

ENGLISH = Phrases(
    words=r"(?:words?|wds)(?![a-z])(?!\s*(?:problems?|games?|search|puzzles?|pairs?|clouds?|choices?|documents?)\b)",
    characters=r"(?:(?:chinese|japanese|korean|han|cjk)\s+)?(?:characters?|chars?)(?![a-z])"
    r"(?!\s+(?:profiles?|sketch\w*|arcs?|stud(?:y|ies)|classes|development|descriptions?)\b)",
    part_nouns=r"(?:sub)?sections?|sub-?chapters?|chapters?|parts?|paragraphs?|pages?"
    r"|(?:blog )?posts?|essays?|articles?|stor(?:y|ies)|episodes?|scenes?|letters?"
    r"|lessons?|modules?|units?|acts?|entr(?:y|ies)|reviews?|pieces?|poems?|volumes?|emails?"
    r"|e-mails?|reports?|answers?|slides?|items?|questions?|topics?|points?|minutes?|speeches|descriptions?|installments?|tales?",
    text_nouns=r"articles?|essays?|reports?|texts?|papers?|stor(?:y|ies)|documents?|drafts?|passages?"
    r"|(?:blog )?posts?|chapters?|transcripts?|e-?mails?|letters?|speech(?:es)?|manuscripts?|notes"
    r"|novels?|books?|abstracts?|memos?|content|outlines?|summar(?:y|ies)|thesis|copy|guides?"
    r"|reviews?|scripts?|biograph(?:y|ies)|proposals?|narratives?|compositions?",
    piece_nouns=r"abstract|intro(?:duction)?|conclusion|preface|foreword|prologue|epilogue|bio|title"
    r"|head(?:line|ing)|subtitle|slogan|tagline|caption|meta[- ]description|footnotes?|quotes?"
    r"|opening|hook|teaser|subject line|appendix|executive summary|summary|blurb|excerpts?"
    r"|sentences?|phrases?|acknowledge?ments|dedication|sidebar|author note|recap|call to action"
    r"|(?:first|second|third|last|final|opening|closing)\s(?:chapter|section|part|paragraph|scene)"
    r"|(?:chapter|section|part|paragraph)\s(?:\d{1,3}|one|two|three|four|five)|closing",
    piece_link=r"(?:\b(?:that\s)?(?:should|must|has\sto|needs\sto|can|may|will|to)?\s*(?:be|have|run)"
    r"|\bis|\bhas|\bof|\bat|\bunder|\bwith|:|\(|=|[-–—])(?:\slimited\sto|\skept\sto)?",
    opening=r"intro(?:duction)?|opening",
    body=r"(?:main\s|essay\s)?body(?:\s(?:text|paragraphs?))?|main\s(?:part|section)",
    closing=r"conclusion|closing|outro",
    addition=r"with|including|includes?|plus|contain\w*|having|has|and|its|followed by|add"
    r"|alongside|accompanied by|append|prepend|featuring",
    range_before=r"between|from",
    range_link=r"(?:up\s)?to|through|or",
    pair_link=r"and",
    from_before=r"from",
    minimum_before=r"in\sexcess\sof|at\s(?:the\s(?:very\s)?)?least|min(?:imum)?\.?|more\sthan|over|(?<!the\s)above(?!\s(?:is|in)\b)|exceed(?:ing|s)?"
    r"|upwards?\sof|(?<![\w/\"'-])>=?|≥|beyond|longer\sthan|greater\sthan|north\sof|surpass\w*"
    r"|go\spast",
    minimum_after=r"or\s(?:more|longer|above|over|greater)|and\s(?:up|above|over)|\+(?!\s?/?\s?-)|plus\b"
    r"|(?:at\s(?:the\s(?:very\s)?)?(?:least|minimum))(?!\s*\w)|(?:as\sa\s)?min(?:imum)?\b",
    maximum_before=r"at\s(?:the\s(?:very\s)?)?most|max(?:imum)?\.?|(?:less|fewer)\sthan|under|(?<!the\s)below(?!\s(?:is|in)\b|:)|up\sto"
    r"|within|shorter\sthan|(?:limit(?:ed)?|restrict(?:ed)?|cap(?:ped)?)(?:\s\w+){0,3}\s(?:to|at|of)"
    r"|(?:word\s)?(?:limit|cap)|(?<![\w/\"'-])<=?|≤|smaller\sthan|as\smany\sas",
    maximum_after=r"or\s(?:less|fewer|under|shorter|below)|and\s(?:under|below)|tops\b"
    r"|at\s(?:the\s(?:very\s)?)?(?:most|maximum)(?!\s*\w)|(?:as\s(?:a|the)\s)?max(?:imum)?\b"
    r"|(?:word\s)?(?:limit|cap)\b",
    negation=r"not|(?:do|does|did|is|must|should|ca|could|wo|would|need)n['’]?t|no|never|nor|without|cannot|avoid",
    filler=r"of|is|be|a|an|the|to|in|at|total|length|words?|count|limit|number|requirement|it|set"
    r"|target|around|about|approximately|roughly",
    approximate_before=r"about|around|roughly|approximately|approx\.?|circa|c\.|ca\.?|nearly|almost"
    r"|some|close\sto|in\sthe\sregion\sof|somewhere|exactly|precisely|just|near|say|only|preferably"
    r"|ideally|strictly|a\stotal\sof|the\srange\sof|something\slike|or\sso|well|minimum\sand",
    approximate_after=r"or\sso|approx(?:imately|\.)?|roughly|give\sor\stake|odd|exactly|long|in\slength"
    r"|of\stext|total\b(?!\s*(?:cost|of))|(?:of\s)?content",
    each_before=r"\b(?:each|every|per\s(?:chapter|section|part|page|paragraph|post|article))\b"
    r"[^.;,\d]{0,12}(?:\d{1,3}\s)?[^.;,\d]{0,40}",
    each_after=r"each\b|apiece|per\s(?!day|week|hour|month|second)|a\s(?:piece|chapter|section|page)\b"
    r"|/\s?(?:chapter|section|page|part|paragraph)|(?:for|to|in|on|about)\s(?:each|every)|every\schapter",
    part_link=r"of|at|averaging",
    total_before=r"total(?:l?ing)?(?:\s(?:length|word\scount|words?))?(?:\s(?:of|is|:|should\sbe|to))?:?"
    r"|overall|altogether|in\sall|in\stotal[,:]?|combined|entire\s\w+[^.;,]{0,20}|whole\s\w+[^.;,]{0,20}",
    total_after=r"in\s(?:total|all)|total|overall|altogether|combined|for\sthe\s(?:whole|entire)",
    write_verbs=r"(?:(?<!re-)\bwrit(?:e|ing)|compos(?:e|ing)|creat(?:e|ing)|produc(?:e|ing)"
    r"|generat(?:e|ing)|prepar(?:e|ing)|craft(?:ing)?|author|deliver|pen|^\s*draft|(?:me|please|to)\sdraft"
    r"|submit|compile|aim for)\b",
    result_before=r"(?:in|into|as|for|by|using)(?:\s(?!(?:this|these|that|my|the|your|our|his|her|their"
    r"|an?\s\w+\sof)\b)[^\W\d]+){0,3}|(?:down\s)?to(?:\s(?:be|reach|make|become|an?|one|some))*"
    r"|another|additional|further",
    existing=r"th(?:is|ese|at|ose)|(?:the\s)?(?:following|above|below|attached|enclosed|given|existing"
    r"|original|provided|previous|preceding|source|pasted|first|last|initial|current|old)",
    possessive=r"my|our|his|her|their|\w+'s|someone's",
    rework_verbs=r"summari[sz](?:e|ing)|\bre-?writ(?:e|ing)|\bedit|proof-?read|translat(?:e|ing)"
    r"|expand(?:ing)?|continu(?:e|ing)|shorten(?:ing)?|condens(?:e|ing)|paraphras(?:e|ing)"
    r"|polish|revis(?:e|ing)|improv(?:e|ing)|critique|extend|lengthen|compress|trim|\bcut\b|reduc"
    r"|rework|reword|convert|\bturn\b|transform|\bread(?:ing)?\b|repl(?:y|ies) to|respond to|grade"
    r"|adapt|\breview\b|analy[sz]e|evaluate|correct|abridge|distill?|feedback on|boil|comment on"
    r"|help with|outline of|fix\b|shrink|check",
    source_before=r"(?:I['’]?m|I\sam|I['’]ve|we['’]re|I)\s(?:\w+ly\s)?(?:writing|working\son|written|finished|wrote)"
    r"\s(?:an?|my)?(?:\s\w+)?|(?:below|above|attached|here|following)\s(?:is|are)\s(?:an?|my|the|some)"
    r"|(?:(?:outline|plan|title|topic|theme|structure|idea|pitch|prompt|synops[ie]s|premise|introduction|conclusion|abstract|contents)s?"
    r"|(?:opening|first|next|last|final|closing)\s(?:chapter|scene|section|part|page|paragraph)|chapter\s\d{1,3})"
    r"\s(?:of|for|to)\s(?:an?|my|the)|(?:(?:based|drawing|building|comment\w*|feedback|opinion)\son|from|given|after"
    r"|read(?:ing)?|(?:summary|review|critique|abstract|translation|analysis|synopsis|continuation"
    r"|paraphrase|sequel|version|rewrite|expansion)\sof|response\sto|out\sof)\s(?:an?|the|one)?"
    r"(?:\s[^\W\d]+)?|(?:average|typical)\s\w+\s(?:is|has|runs|contains)|\b(?:was|were|came\sto|currently|originally|already|used\sto\sbe|runs\sto)"
    r"(?:\sat|\sabout)?",
    source_after=r"(?:(?:of\s)?(?!(?:and|but|so)\b)\w+\s){0,2}(?:below\b|above\b|attached\b|I\s(?:wrote|have|pasted)|I've)",
    negated_before=r"(?:titled|entitled|called|named)[\s:]*[\"“']?(?:\s?(?:an?|the))?|\bnot\s(?:an?|just\san?|just|another|the\susual|merely\san?|only|simply\san?)"
    r"(?:\s(?!but)[^\W\d]+)?|(?:instead\sof|rather\sthan|unlike)(?:\s(?:an?|the))?(?:\s\w+)?"
    r"|\bnot|example[,:]?(?:\san?)?|e\.?g\.?,?(?:\san?)?|such\sas(?:\san?)?|for\sinstance,?(?:\san?)?",
    unrelated=r"vocabular|\blearn|memori[sz]|lexicon|dictionar|(?:most\s)?(?:common|frequent)\b"
    r"|typing|passwords?|usernames?|spell(?:ing)?\b|recogni[sz]e|worth|a\sday\b|daily|\bspeak\b"
    r"|flashcards?|type\s(?:at|of)|speed|\bknow\b|every\sday|each\sday",
    question=r"how|why|what(?!\s(?:I|we)\b)|which|is|are|was|does|do\sI|should|can\sI",
    unrelated_before=r"why|how\s(?:long|many|much)\b[^.;:,]{0,40}|^\W*(?:is|was)\s(?:it|this|that)|how\s(?:do|can|should|did)\s(?:I|you|we|one|people)\swrite(?:\san?)?|(?:how|guide|tips|advice|ways|strategies|steps|methods?|tricks)\s(?:to|on|for|of)"
    r"\s(?:\w+\s)?(?:writ(?:e|ing)|complet(?:e|ing)|finish(?:ing)?)(?:\s(?:an?|the|your|my))?"
    r"|^\W*(?:please\s)?(?:list|name)|several|(?:a\s)?few|(?:a\s)?couple(?:\sof)?|many|vocabulary\sof|(?:list|set|pool|bank|collection)\sof|top|these|those|of\sthe|followed\sby\sthe",
    unrelated_after=r"(?:a|an|per|each|every|/)\s?(?:day|week|hour|month|second|night|morning|year)"
    r"|daily|wpm|(?:that|which)\s(?:start|begin|end|rhyme|mean|describe|sound)(?!s)"
    r"|(?:starting|beginning|ending|rhyming)\swith|password|username|vocab\w*"
    r"|of\s(?:vocab\w*|wisdom)|(?:in|from)\sthe\s(?:list|dictionary|language)|every\sday|worth"
    r"|in\s(?:english|spanish|french|german|chinese|japanese)\sto\slearn",
    label_words=r"word\s?[- ]?(?:count|range|limit|length|target|goal|requirement|total|budget)"
    r"|(?:number|amount)\sof\swords|\bwords?\s?(?=:|=)|how\smany\swords",
    label_characters=r"character\s(?:count|limit)|(?:number|amount)\sof\scharacters",
)
