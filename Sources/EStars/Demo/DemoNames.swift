/// Names of people who do not exist.
enum DemoNames {
  struct Foreign {
    let firstName: String
    let lastName: String
    /// Empty: none.
    let username: String
    let languageCode: String

    init(_ firstName: String, _ lastName: String, _ username: String, _ languageCode: String) {
      self.firstName = firstName
      self.lastName = lastName
      self.username = username
      self.languageCode = languageCode
    }
  }

  static let first = [
    "Adriana", "Alice", "Amanda", "André", "Antônio", "Aparecida", "Arthur", "Beatriz", "Bento",
    "Bruna", "Caio", "Camila", "Cauã", "Cecília", "Cláudia", "Daniel", "Débora", "Diogo", "Eduarda",
    "Elisa", "Enzo", "Érica", "Fábio", "Fernanda", "Flávia", "Francisco", "Gabriela", "Gael",
    "Giovana", "Gustavo", "Heitor", "Helena", "Henrique", "Iara", "Ícaro", "Isabela", "Ivo",
    "Janaína", "Jéssica", "José", "Júlia", "Karina", "Laís", "Larissa", "Leandro", "Letícia",
    "Lívia", "Luana", "Luís", "Luíza", "Maitê", "Marcelo", "Mateus", "Miguel", "Milena", "Natália",
    "Nicolas", "Olívia", "Otávio", "Patrícia", "Paulo", "Pedro", "Priscila", "Raquel", "Raul",
    "Renata", "Ricardo", "Rodrigo", "Rosângela", "Samuel", "Sérgio", "Simone", "Sônia", "Tainá",
    "Tales", "Tatiana", "Thaís", "Thiago", "Ubirajara", "Valentina", "Vanessa", "Vinícius",
    "Vitória", "William", "Yasmin",
  ]

  static let last = [
    "Almeida", "Alves", "Andrade", "Araújo", "Assunção", "Azevedo", "Barbosa", "Barros", "Batista",
    "Brandão", "Brito", "Camargo", "Campos", "Cardoso", "Castro", "Coelho", "Conceição", "Cordeiro",
    "Corrêa", "Costa", "da Cruz", "da Luz", "da Silva", "Dantas", "de Moraes", "de Oliveira",
    "de Sá", "Dias", "dos Anjos", "dos Santos", "Duarte", "Esteves", "Farias", "Fonseca", "Freitas",
    "Furtado", "Galvão", "Gomes", "Gonçalves", "Guimarães", "Leão", "Leite", "Lima", "Lopes",
    "Macedo", "Machado", "Magalhães", "Marques", "Medeiros", "Melo", "Menezes", "Monteiro",
    "Moreira", "Nogueira", "Pacheco", "Paixão", "Peixoto", "Pereira", "Pinheiro", "Prates",
    "Queiroz", "Ramos", "Rezende", "Rocha", "Sampaio", "Siqueira", "Tavares", "Teixeira", "Valente",
    "Vasconcelos", "Vieira", "Xavier",
  ]

  /// Every eleventh person is one of these: other countries and scripts, long names, an emoji.
  static let foreign = [
    Foreign("Olivia", "Hart", "olivia_hart", "en"),
    Foreign("Дарья", "Соколова", "dasha_sokolova", "ru"),
    Foreign("Lucía", "Fernández Núñez", "lucia_fn", "es"),
    Foreign("さくら", "田中", "sakura_tnk", "ja"),
    Foreign("Zoë 🌻", "", "zoe_sunflower", "en"),
    Foreign("ليلى", "الحسن", "layla_alh", "ar"),
    Foreign(
      "Maria Antonieta Guilhermina de Bragança e", "Albuquerque Cavalcanti de Vasconcelos", "",
      "pt-br"),
    Foreign("Jürgen", "Weiß", "juergen_w", "de"),
    Foreign("Nguyễn", "Thị Hồng Nhung", "hongnhung_ng", "vi"),
    Foreign("D’Angelo", "O’Sullivan-Reyes", "dangelo_osr", "en"),
    Foreign("Αθηνά", "Παππά", "", "el"),
    Foreign("अनन्या", "शर्मा", "ananya_shrm", "hi"),
    Foreign("Tomás", "", "tomas_uy", "es"),
    Foreign("Łukasz", "Żółtowski", "lukasz_zolt", "pl"),
    Foreign("민준", "김", "minjun_kk", "ko"),
    Foreign("Chloé", "Lefèvre", "chloe_lfv", "fr"),
    Foreign("X", "", "", "en"),
    Foreign("Émile-François", "N’Diaye", "emile_ndy", "fr"),
    Foreign("ოთარ", "ბერიძე", "otar_brdz", "ka"),
    Foreign("Søren", "Ægidius Møller", "soren_aegidius", "da"),
    Foreign("נועה", "לוי", "noa_lvy", "he"),
    Foreign("Catarina", "Sequeira Pais", "catarina_sp", "pt"),
    Foreign("İpek", "Yıldız", "ipek_yldz", "tr"),
    Foreign("王", "小明", "xiaoming_w", "zh-hans"),
    Foreign("Ingrid", "Ólafsdóttir", "", "is"),
    Foreign("Ștefan", "Țurcanu", "stefan_turcanu", "ro"),
  ]
}
